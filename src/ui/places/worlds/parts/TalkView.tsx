import { Button, Group } from "@mantine/core"
import { useCallback, useRef, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useLive } from "../../market/live.ts"
import { pathOf, useDesk, useName, useWhy, useWorldName } from "../desk.ts"
import { takeNote } from "../notes.ts"
import { writeRoute } from "../route.ts"
import { readTranscript, type Transcript } from "../state/model.ts"
import { fileName, follow, isUnderWay, toFile, turnsLeft } from "../state/talk.ts"
import { useSpan, useStanding } from "../words.ts"
import { BlockDialog } from "./BlockDialog.tsx"
import { Confirm } from "./Confirm.tsx"
import { Facts } from "./Facts.tsx"
import { Turns } from "./Turns.tsx"
import { useNote } from "./useNote.ts"
import { NotYet } from "./NotYet.tsx"

/** While it goes on, turns come within seconds. */
const pace = (transcript: Transcript | undefined) =>
  transcript === undefined ? 2_000 : isUnderWay(transcript.talk) ? 700 : 3_000

/** `id`: of the request that the talk came of. */
export const TalkView = ({ id }: { readonly id: string }) => {
  const { http } = useApp()
  const { t } = useText()
  const why = useWhy()
  const sofar = useRef<Transcript>(undefined)
  const { fault, refresh, value } = useLive(
    useCallback(async () => {
      const after = sofar.current?.turns.at(-1)?.turn ?? 0
      const fresh = readTranscript(await http.json("GET", `${pathOf("conversations", id)}?after=${after}`))
      sofar.current = follow(sofar.current, fresh)
      return sofar.current
    }, [http, id]),
    pace
  )
  if (value === undefined) {
    return <NotYet className="market-hint" fault={fault} />
  }
  return (
    <Loaded
      transcript={value}
      fault={fault === undefined ? undefined : t("worlds.stale", { reason: why(fault) })}
      refresh={refresh}
    />
  )
}

const Loaded = (props: {
  readonly transcript: Transcript
  readonly fault: string | undefined
  readonly refresh: () => Promise<void>
}) => {
  const { fault, refresh, transcript } = props
  const { talk } = transcript
  const { agent, agents, requests } = useDesk()
  const { http } = useApp()
  const { t } = useText()
  const nameless = useName()
  const standing = useStanding()
  const [ending, setEnding] = useState(false)
  const [blocking, setBlocking] = useState(false)
  const [said, setSaid] = useState(() => takeNote(talk.requestId))
  // Of two agents of the same person, the one that is acted for is the own side.
  const otherId =
    agent === undefined || agent.id !== transcript.other.id
      ? transcript.other.id
      : agent.id === talk.requester
        ? talk.peer
        : talk.requester
  const mineId = talk.requester === otherId ? talk.peer : talk.requester
  const mine = agents.value?.find(({ id }) => id === mineId)
  const nameOf = useCallback(
    (id: string) =>
      nameless(
        agents.value?.find((each) => each.id === id)?.name ?? (id === transcript.other.id ? transcript.other.name : "")
      ),
    [nameless, agents.value, transcript.other]
  )
  const { tone, words } = standing(talk, nameOf)
  const brief = requests.value?.items.find(({ id }) => id === talk.requestId)?.opening
  const note = useNote()

  const keep = () => {
    const save = toFile(transcript, {
      title: t("worlds.talk.title", { one: nameOf(mineId), other: nameOf(otherId) }),
      facts: [
        words,
        `${t("worlds.talk.began")}: ${new Date(talk.startedAt).toISOString()}`,
        ...(talk.worldId === undefined ? [] : [`${t("worlds.talk.where")}: ${talk.worldId}`]),
        ...(brief === undefined ? [] : [`${t("worlds.talk.brief")}: ${brief}`])
      ],
      nameOf,
      noteOf: (turn) => note(turn)
    })
    const url = URL.createObjectURL(new Blob([save], { type: "text/markdown" }))
    const link = document.createElement("a")
    link.href = url
    link.download = fileName([nameOf(mineId), nameOf(otherId)], talk.startedAt)
    link.click()
    // The browser has begun to read it by then; a download is not told when it is over.
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  }

  return (
    <article className="worlds-talk" aria-labelledby="talk-title">
      <header className="worlds-talk-head">
        <div className="worlds-talk-title">
          <h2 id="talk-title" tabIndex={-1} className="wrap">
            {t("worlds.talk.title", { one: nameOf(mineId), other: nameOf(otherId) })}
          </h2>
          <p className="small standing" data-tone={tone} role="status">
            {words}
          </p>
        </div>
        <Group gap="xs">
          <Button variant="default" size="xs" onClick={keep}>
            {t("worlds.talk.keep")}
          </Button>
          {isUnderWay(talk) && (
            <Button variant="default" size="xs" className="stop" onClick={() => setEnding(true)}>
              {t("worlds.talk.stop")}
            </Button>
          )}
          {mine !== undefined && (
            <Button variant="default" size="xs" className="stop" onClick={() => setBlocking(true)}>
              {t("worlds.talk.block", { name: nameOf(otherId) })}
            </Button>
          )}
        </Group>
      </header>
      {fault !== undefined && (
        <p className="bad worlds-talk-line" role="alert">
          {fault}
        </p>
      )}
      <p className="task-said worlds-talk-line" role="status">
        {said}
      </p>
      <div className="worlds-talk-body">
        <Turns transcript={transcript} nameOf={nameOf} mineId={mineId} />
        <About transcript={transcript} brief={brief} />
      </div>
      <Confirm
        opened={ending}
        onClose={() => setEnding(false)}
        title={t("worlds.talk.stopTitle")}
        text={t("worlds.talk.stopText")}
        go={t("worlds.talk.stop")}
        onGo={async () => {
          await http.json("POST", `${pathOf("conversations", talk.requestId)}/end`, {})
          await Promise.all([refresh(), requests.refresh()])
        }}
      />
      {mine !== undefined && blocking && (
        <BlockDialog
          agent={mine}
          other={{ id: otherId, name: nameOf(otherId) }}
          onClose={() => setBlocking(false)}
          onDone={async () => {
            setSaid(t("worlds.talk.blocked", { name: nameOf(otherId) }))
            await refresh()
          }}
        />
      )}
    </article>
  )
}

const About = ({ brief, transcript }: { readonly transcript: Transcript; readonly brief: string | undefined }) => {
  const { t, language } = useText()
  const span = useSpan()
  const worldName = useWorldName()
  const now = useNow(60_000)
  const { talk } = transcript
  return (
    <aside className="worlds-side" aria-labelledby="about-talk">
      <h3 id="about-talk" className="caption">
        {t("worlds.talk.about")}
      </h3>
      <Facts
        items={[
          ...(isUnderWay(talk) ? ([[t("worlds.talk.left"), whole(turnsLeft(talk), language)]] as const) : []),
          [t("worlds.world.turns"), whole(talk.policy.maxTurns, language)],
          [t("worlds.world.turnTime"), span(talk.policy.turnTimeout)],
          [t("worlds.world.ends"), t(`worlds.ends.${talk.policy.hands}`)],
          [
            t("worlds.talk.where"),
            talk.worldId === undefined ? (
              t("worlds.request.direct")
            ) : (
              <a key="where" href={writeRoute({ view: "world", id: talk.worldId })}>
                {worldName(talk.worldId)}
              </a>
            )
          ],
          [t("worlds.talk.began"), moment(talk.startedAt, now, language)],
          ...(brief === undefined ? [] : ([[t("worlds.talk.brief"), brief]] as const))
        ]}
      />
      <p className="small soft">{t("worlds.talk.untrusted")}</p>
    </aside>
  )
}
