import { Menu } from "@mantine/core"
import { useApp } from "../app.ts"
import { useText } from "../i18n/index.ts"
import { Avatar } from "./Avatar.tsx"
import { LanguageButton } from "./LanguageButton.tsx"

/** The places that there are. A place is one folder under places/; a new one is one line here. */
const places = [{ id: "chat", name: "place.chat" }] as const

export const Rail = () => {
  const { person, signOut } = useApp()
  const { t } = useText()
  return (
    <nav className="rail" aria-label={t("app.places")}>
      <span className="mark" aria-hidden="true">
        c
      </span>
      <ul className="rail-places">
        {places.map((place) => (
          <li key={place.id}>
            <a className="rail-place" href="#/chat" aria-current="page">
              {t(place.name)}
            </a>
          </li>
        ))}
      </ul>
      <div className="rail-end">
        <LanguageButton />
        <Menu position="right-end" withinPortal shadow="md">
          <Menu.Target>
            <button type="button" className="rail-person" aria-label={t("app.account", { name: person.name })}>
              <Avatar id={person.name} name={person.name} avatar="" size={32} />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{t("app.signedInAs", { name: person.name })}</Menu.Label>
            <Menu.Item onClick={signOut}>{t("app.signOut")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </nav>
  )
}
