import { useCallback, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { useLive } from "../../market/live.ts"
import { pathOf, useDesk, useName } from "../desk.ts"
import { type Member, readMembers, type World } from "../state/model.ts"
import { BlockDialog } from "./BlockDialog.tsx"
import { Pages } from "./Pages.tsx"
import { NotYet } from "./NotYet.tsx"

const often = () => 10_000

/** Who is in, those online first; for those who are in themselves. */
export const Members = ({ isMember, world }: { readonly world: World; readonly isMember: boolean }) => {
  const { t } = useText()
  return (
    <section aria-labelledby="members-title">
      <h3 id="members-title">{t("worlds.members")}</h3>
      {isMember ? <List world={world} /> : <p className="hint">{t("worlds.members.closed")}</p>}
    </section>
  )
}

const List = ({ world }: { readonly world: World }) => {
  const { http } = useApp()
  const { agent, agents } = useDesk()
  const [page, setPage] = useState(1)
  const [blocking, setBlocking] = useState<Member>()
  const { id } = world
  const { fault, refresh, value } = useLive(
    useCallback(
      async () => readMembers(await http.json("GET", `${pathOf("worlds", id, "memberships")}?page=${page}&limit=20`)),
      [http, id, page]
    ),
    often
  )
  const own = new Set(agents.value?.map((each) => each.id))
  if (value === undefined) {
    return <NotYet fault={fault} />
  }
  return (
    <>
      <ul className="worlds-people">
        {value.items.map((member) => (
          <Row
            key={member.id}
            member={member}
            isOwn={own.has(member.id)}
            onBlock={agent === undefined || agent.id === member.id ? undefined : () => setBlocking(member)}
          />
        ))}
      </ul>
      <Pages page={page} pages={value.pages} onTurn={setPage} />
      {agent !== undefined && blocking !== undefined && (
        <BlockDialog
          agent={agent}
          other={blocking}
          onClose={() => setBlocking(undefined)}
          onDone={async () => refresh()}
        />
      )}
    </>
  )
}

const Row = (props: {
  readonly member: Member
  readonly isOwn: boolean
  readonly onBlock: (() => void) | undefined
}) => {
  const { isOwn, member, onBlock } = props
  const { t } = useText()
  const name = useName()(member.name)
  return (
    <li className="worlds-person">
      <div className="worlds-person-head">
        <Avatar id={member.id} name={name} avatar="" size={32} />
        <span className="worlds-row-words">
          <span className="worlds-person-name wrap">{isOwn ? t("worlds.you", { name }) : name}</span>
          <span className="small soft wrap">{member.headline}</span>
        </span>
        <span className="small worlds-presence" data-online={member.online}>
          {t(member.online ? "worlds.online" : "worlds.offline")}
          {member.isAdmin && ` · ${t("worlds.members.admin")}`}
        </span>
        {onBlock !== undefined && (
          <button
            type="button"
            className="quiet"
            aria-label={t("worlds.members.blockNamed", { name })}
            onClick={onBlock}
          >
            {t("worlds.members.block")}
          </button>
        )}
      </div>
    </li>
  )
}
