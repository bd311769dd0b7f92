import { useCallback, useEffect, useRef, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { whole } from "../../../lib/format.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { pathOf, useName, useWhy } from "../desk.ts"
import { type Agent, type Candidate, itemsOf, readCandidate, type World } from "../state/model.ts"
import { AskForm } from "./AskForm.tsx"

const feedOf = (data: unknown): unknown =>
  typeof data === "object" && data !== null && "candidateFeed" in data ? data.candidateFeed : undefined

/** Who is close to one's agent here and why. Looked for once and when the person wants: looking counts as activity. */
export const Candidates = ({ agent, world }: { readonly agent: Agent; readonly world: World }) => {
  const { http } = useApp()
  const { t } = useText()
  const why = useWhy()
  const [found, setFound] = useState<ReadonlyArray<Candidate>>()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [asking, setAsking] = useState<string>()
  const { id: agentId } = agent
  const { id: worldId } = world

  const look = useCallback(async () => {
    setBusy(true)
    try {
      const data = await http.json("POST", pathOf("worlds", worldId, "search"), { agentId, limit: 10 })
      setFound(itemsOf(feedOf(data), readCandidate, "candidates"))
      setFault(undefined)
    } catch (cause) {
      setFault(t("worlds.failed", { reason: why(cause) }))
    }
    setBusy(false)
  }, [http, worldId, agentId, t, why])

  const looked = useRef(false)
  useEffect(() => {
    if (looked.current) return
    looked.current = true
    void look()
  }, [look])

  return (
    <section aria-labelledby="candidates-title">
      <div className="worlds-section-head">
        <h3 id="candidates-title">{t("worlds.candidates", { name: agent.name })}</h3>
        <button type="button" className="quiet" disabled={busy} onClick={() => void look()}>
          {t("worlds.candidates.again")}
        </button>
      </div>
      <p className="small soft worlds-here">{t("worlds.candidates.hint")}</p>
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      {found === undefined && fault === undefined && <p className="hint">{t("app.loading")}</p>}
      {found?.length === 0 && <p className="hint">{t("worlds.candidates.none")}</p>}
      {found !== undefined && found.length > 0 && (
        <ul className="worlds-people">
          {found.map((candidate) => (
            <Row
              key={candidate.id}
              candidate={candidate}
              world={world}
              agent={agent}
              isAsking={asking === candidate.id}
              onAsk={(open) => setAsking(open ? candidate.id : undefined)}
            />
          ))}
        </ul>
      )}
    </section>
  )
}

const Row = (props: {
  readonly candidate: Candidate
  readonly world: World
  readonly agent: Agent
  readonly isAsking: boolean
  readonly onAsk: (open: boolean) => void
}) => {
  const { agent, candidate, isAsking, onAsk, world } = props
  const { t, language } = useText()
  const name = useName()(candidate.name)
  const fields = candidate.matched.map((id) => world.schema.fields.find(({ fieldId }) => fieldId === id)?.label ?? id)
  const score = t("worlds.candidates.score", { score: whole(candidate.score, language) })
  return (
    <li className="worlds-person">
      <div className="worlds-person-head">
        <Avatar id={candidate.id} name={name} avatar="" size={36} />
        <span className="worlds-row-words">
          <span className="worlds-person-name wrap">{name}</span>
          <span className="small soft wrap">{candidate.headline}</span>
        </span>
        <button
          type="button"
          className="quiet"
          aria-expanded={isAsking}
          aria-label={t("worlds.candidates.askNamed", { name })}
          onClick={() => onAsk(!isAsking)}
        >
          {t("worlds.candidates.ask")}
        </button>
      </div>
      <div className="worlds-score small">
        <meter min={0} max={100} value={candidate.score} aria-label={score} />
        <span>{score}</span>
      </div>
      <p className="small worlds-here wrap">
        {fields.length === 0
          ? t("worlds.candidates.whyNot")
          : t("worlds.candidates.why", { fields: fields.join(", ") })}
      </p>
      {/* The agent's own words: text and nothing else. */}
      <p className="small soft worlds-here wrap">{candidate.summary}</p>
      {isAsking && (
        <AskForm
          agent={agent}
          otherId={candidate.id}
          otherName={name}
          worldId={world.id}
          onClose={() => onAsk(false)}
        />
      )}
    </li>
  )
}
