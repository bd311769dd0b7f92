import type { Sample } from "../../../../services/channel/Control.ts"
import { useText } from "../../../i18n/index.ts"
import { moment, seconds, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useOperator } from "../operator.ts"
import { ceilingOf, figuresOf, HOUR } from "./hour.ts"

const width = 560
const height = 150
const top = 18
/** Where the bars of the replies stand; above them the first words. */
const floor = 108
const base = 140

/** The last hour in words, as a picture, and as a table. */
export const Hour = () => {
  const { samples } = useOperator().account
  const { t, language } = useText()
  const now = useNow(10_000)
  const shown = samples.filter(({ at }) => at > now - HOUR)
  const figures = figuresOf(shown)
  const quiet = shown.length === 0
  return (
    <section className="card hour" aria-labelledby="hour-title">
      <h2 id="hour-title">{t("hour.title")}</h2>
      {quiet ? (
        <p className="hint">{t("hour.none")}</p>
      ) : (
        <>
          <p className="small">
            {[
              t("hour.replies", { count: figures.replies, formatted: whole(figures.replies, language) }),
              figures.failed > 0
                ? t("hour.failed", { formatted: whole(figures.failed, language) })
                : t("hour.noneFailed"),
              ...(figures.mean === undefined || figures.max === undefined
                ? []
                : [
                    t("hour.firstWords", {
                      mean: seconds(figures.mean, language),
                      max: seconds(figures.max, language)
                    })
                  ]),
              figures.reconnects > 0
                ? t("hour.reconnects", { count: figures.reconnects, formatted: whole(figures.reconnects, language) })
                : t("hour.noReconnects")
            ].join(" · ")}
          </p>
          <Picture samples={shown} now={now} />
          <details>
            <summary>{t("hour.asTable")}</summary>
            <Table samples={shown} now={now} />
          </details>
        </>
      )}
    </section>
  )
}

const Picture = ({ now, samples }: { readonly samples: ReadonlyArray<Sample>; readonly now: number }) => {
  const { t, language } = useText()
  const spoken = samples.filter((sample) => sample.first_delta_ms !== null)
  const ceiling = ceilingOf(Math.max(100, ...spoken.map((sample) => sample.first_delta_max_ms ?? 0)))
  const most = Math.max(1, ...samples.map((sample) => sample.completed + sample.failed))
  const x = (at: number) => Math.round(((at + 10_000 - (now - HOUR)) / (HOUR + 10_000)) * width * 10) / 10
  const y = (ms: number) => Math.round((floor - (ms / ceiling) * (floor - top)) * 10) / 10
  const points = spoken.map((sample) => `${x(sample.at)},${y(sample.first_delta_ms ?? 0)}`).join(" ")
  const bar = (count: number) => Math.max(2, (count / most) * (base - floor - 6))
  return (
    <svg className="hour-picture" viewBox={`0 0 ${width} ${height + 14}`} role="img" aria-label={t("hour.picture")}>
      <text x={0} y={top - 6} className="picture-text">
        {seconds(ceiling, language)} · {t("hour.legendWords")}
      </text>
      <line x1={0} x2={width} y1={top} y2={top} className="picture-grid" />
      <line x1={0} x2={width} y1={floor} y2={floor} className="picture-axis" />
      {samples.map((sample) => {
        const good = sample.completed === 0 ? 0 : bar(sample.completed)
        const bad = sample.failed === 0 ? 0 : bar(sample.failed)
        return (
          <g key={sample.at}>
            {sample.reconnects > 0 && (
              <line x1={x(sample.at)} x2={x(sample.at)} y1={top} y2={base} className="picture-reconnect" />
            )}
            {good > 0 && (
              <rect x={x(sample.at) - 1.5} y={base - good} width={3} height={good} className="picture-good" />
            )}
            {bad > 0 && (
              <rect x={x(sample.at) - 1.5} y={base - good - bad} width={3} height={bad} className="picture-bad" />
            )}
            {sample.first_delta_ms !== null && sample.first_delta_max_ms !== null && (
              <line
                x1={x(sample.at)}
                x2={x(sample.at)}
                y1={y(sample.first_delta_ms)}
                y2={y(sample.first_delta_max_ms)}
                className="picture-spread"
              />
            )}
          </g>
        )
      })}
      {spoken.length > 1 && <polyline points={points} className="picture-line" />}
      {spoken.map((sample) => (
        <circle key={sample.at} cx={x(sample.at)} cy={y(sample.first_delta_ms ?? 0)} r={2.2} className="picture-dot" />
      ))}
      {samples
        .filter((sample) => sample.reconnects > 0)
        .slice(-1)
        .map((sample) => (
          <text
            key={sample.at}
            x={x(sample.at) > width - 80 ? x(sample.at) - 5 : x(sample.at) + 5}
            y={top + 12}
            textAnchor={x(sample.at) > width - 80 ? "end" : "start"}
            className="picture-text"
          >
            {t("hour.reconnect")}
          </text>
        ))}
      <line x1={0} x2={width} y1={base} y2={base} className="picture-axis" />
      <text x={0} y={base + 15} className="picture-text">
        {t("hour.ago")}
      </text>
      <text x={width / 2} y={base + 15} textAnchor="middle" className="picture-text">
        {t("hour.legendReplies")}
      </text>
      <text x={width} y={base + 15} textAnchor="end" className="picture-text">
        {t("hour.now")}
      </text>
    </svg>
  )
}

const Table = ({ now, samples }: { readonly samples: ReadonlyArray<Sample>; readonly now: number }) => {
  const { t, language } = useText()
  const time = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23"
  })
  const words = (ms: number | null) => (ms === null ? "–" : t("side.seconds", { seconds: seconds(ms, language) }))
  return (
    <div className="table" role="region" aria-label={t("hour.title")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("hour.time")}</th>
            <th scope="col">{t("hour.completed")}</th>
            <th scope="col">{t("hour.failedColumn")}</th>
            <th scope="col">{t("hour.mean")}</th>
            <th scope="col">{t("hour.max")}</th>
            <th scope="col">{t("hour.reconnectsColumn")}</th>
          </tr>
        </thead>
        <tbody>
          {samples.toReversed().map((sample) => (
            <tr key={sample.at}>
              <th scope="row" title={moment(sample.at, now, language)}>
                {time.format(sample.at)}
              </th>
              <td>{whole(sample.completed, language)}</td>
              <td>{whole(sample.failed, language)}</td>
              <td>{words(sample.first_delta_ms)}</td>
              <td>{words(sample.first_delta_max_ms)}</td>
              <td>{whole(sample.reconnects, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
