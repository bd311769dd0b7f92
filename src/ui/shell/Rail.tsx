import { Menu } from "@mantine/core"
import { useState } from "react"
import type { Key } from "../i18n/index.ts"
import { useText } from "../i18n/index.ts"
import type { PlaceId } from "../lib/places.ts"
import { MyAgents } from "../places/mine/MyAgents.tsx"
import { Avatar } from "./Avatar.tsx"
import { LanguageButton } from "./LanguageButton.tsx"
import type { Standing } from "./Shell.tsx"

/** What a place is called. A place is one folder under places/. */
const names: Readonly<Record<PlaceId, Key>> = {
  chat: "place.chat",
  market: "place.market",
  worlds: "place.worlds",
  agent: "place.agent"
}

export const Rail = ({ person, place, places }: Standing) => {
  const { t } = useText()
  const [mine, setMine] = useState(false)
  return (
    <nav className="rail" aria-label={t("app.places")}>
      <span className="mark" aria-hidden="true">
        c
      </span>
      <ul className="rail-places">
        {places.map((each) => (
          <li key={each}>
            <a className="rail-place" href={`#/${each}`} {...(each === place ? { "aria-current": "page" } : {})}>
              {t(names[each])}
            </a>
          </li>
        ))}
      </ul>
      <div className="rail-end">
        <LanguageButton />
        {person !== undefined && (
          <Menu position="right-end" withinPortal shadow="md">
            <Menu.Target>
              <button type="button" className="rail-person" aria-label={t("app.account", { name: person.name })}>
                <Avatar id={person.name} name={person.name} avatar="" size={32} />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>{t("app.signedInAs", { name: person.name })}</Menu.Label>
              <Menu.Item onClick={() => setMine(true)}>{t("mine.title")}</Menu.Item>
              <Menu.Item onClick={person.signOut}>{t("app.signOut")}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        {person !== undefined && <MyAgents opened={mine} onClose={() => setMine(false)} />}
      </div>
    </nav>
  )
}
