import type { ReactNode } from "react"
import type { ConnectionView } from "../../../../services/channel/Control.ts"
import type { Key } from "../../../i18n/index.ts"
import { useText } from "../../../i18n/index.ts"
import { fromPlatform, isForeign } from "../../../i18n/platform.ts"
import { bytes, moment, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useDuration, useOperator } from "../operator.ts"
import { Retry } from "./Who.tsx"

/** The connection as it is. */
export const LineCard = () => {
  const { account } = useOperator()
  const { t } = useText()
  return (
    <section className="card" aria-labelledby="line-title">
      <h2 id="line-title">{t("line.title")}</h2>
      {account.connection === null ? (
        <p className="soft">{t("line.none")}</p>
      ) : (
        <Connection connection={account.connection} />
      )}
    </section>
  )
}

const Fact = (props: { readonly name: string; readonly children: ReactNode }) => (
  <div className="fact">
    <dt>{props.name}</dt>
    <dd>{props.children}</dd>
  </div>
)

const dots: Readonly<Record<ConnectionView["phase"], string>> = {
  connected: "dot dot-on",
  suspect: "dot dot-doubt",
  connecting: "dot",
  reconnecting: "dot dot-doubt",
  disconnected: "dot",
  blocked: "dot dot-bad"
}

const failures: Readonly<Record<string, Key>> = {
  Unreachable: "line.Unreachable",
  HeartbeatLost: "line.HeartbeatLost",
  CredentialsRefused: "line.CredentialsRefused",
  Replaced: "line.Replaced",
  InsecureAddress: "line.InsecureAddress",
  FrameTooLarge: "line.FrameTooLarge",
  Closed: "line.Closed"
}

const Connection = ({ connection }: { readonly connection: ConnectionView }) => {
  const { t, language } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const { attempt, failure, generation, last_pong_at, outbox_bytes, phase, retry_at, since } = connection
  const held = duration(now - (since ?? now))
  const words =
    phase === "connected"
      ? t("line.connected", { duration: held })
      : phase === "reconnecting" && retry_at !== null
        ? t("line.retryIn", { duration: duration(Math.max(1_000, retry_at - now)) })
        : t(`line.${phase}`)
  const waits = phase === "blocked" || (phase === "reconnecting" && retry_at !== null)
  const now_wrong = phase !== "connected"
  return (
    <>
      <dl className="facts">
        <Fact name={t("line.state")}>
          <span className="line-state">
            <span className={dots[phase]} aria-hidden="true" />
            {words}
          </span>
          {/* Read out when the state changes; the seconds beside it are for the eye. */}
          <span className="hidden" role="status">
            {phase === "connected" ? t("agent.online") : t(`line.${phase}`)}
          </span>
        </Fact>
        {now_wrong && since !== null && <Fact name={t("line.since")}>{moment(since, now, language)}</Fact>}
        <Fact name={t("line.platform")}>{URL.parse(connection.url)?.host ?? connection.url}</Fact>
        <Fact name={t("line.pong")}>
          {last_pong_at === null ? t("line.never") : t("line.ago", { duration: duration(now - last_pong_at) })}
        </Fact>
        {attempt > 0 && <Fact name={t("line.attempts")}>{whole(attempt, language)}</Fact>}
        <Fact name={t("line.socket")}>{t("line.socketValue", { number: whole(generation, language) })}</Fact>
        <Fact name={t("line.outbox")}>{bytes(outbox_bytes, language)}</Fact>
      </dl>
      {failure !== null && (
        <div className={now_wrong ? "notice notice-bad" : "notice"} role={phase === "blocked" ? "alert" : undefined}>
          <p className="small">
            {now_wrong || failure.at === null
              ? t("line.failure")
              : t("line.lastFailure", { when: moment(failure.at, now, language) })}
          </p>
          <Words failure={failure} />
        </div>
      )}
      {waits && <Retry label={t("line.tryNow")} />}
    </>
  )
}

/** In the page's language; the program's own sentence, which is English, where it says more. */
const Words = ({ failure }: { readonly failure: NonNullable<ConnectionView["failure"]> }) => {
  const { t, language } = useText()
  const key = failures[failure.code]
  const said = fromPlatform(failure.message, language)
  if (key === undefined || !isForeign(said, language)) return <p className="wrap">{said}</p>
  return (
    <>
      <p className="wrap">{t(key)}</p>
      <p className="wrap small soft" lang="en">
        {failure.message}
      </p>
    </>
  )
}
