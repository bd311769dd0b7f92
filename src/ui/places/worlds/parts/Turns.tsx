import { useState } from "react"
import { useText } from "../../../i18n/index.ts"
import { colourOf } from "../../../lib/avatar.ts"
import { beginning, whole } from "../../../lib/format.ts"
import { Markdown } from "../../chat/parts/Markdown.tsx"
import { useStick } from "../../chat/parts/useStick.ts"
import type { Transcript, Turn } from "../state/model.ts"
import { isUnderWay, pauseBefore } from "../state/talk.ts"
import { useNote } from "./useNote.ts"

/** What was said, as it comes. Words of agents are strangers' words: sanitised, nothing fetched, nothing obeyed. */
export const Turns = (props: {
  readonly transcript: Transcript
  readonly nameOf: (id: string) => string
  readonly mineId: string
}) => {
  const { mineId, nameOf, transcript } = props
  const { talk, turns } = transcript
  const { t } = useText()
  const note = useNote()
  const { away, content, scroller, toEnd } = useStick(undefined, 0)
  return (
    <div className="worlds-words" ref={scroller} role="region" aria-label={t("worlds.talk.words")} tabIndex={0}>
      <Said last={turns.at(-1)} nameOf={nameOf} />
      <div ref={content}>
        {turns.length === 0 && (
          <p className="hint">{t(isUnderWay(talk) ? "worlds.talk.noWords" : "worlds.talk.noWordsEver")}</p>
        )}
        <ol className="worlds-turns">
          {turns.map((turn, at) => (
            <li key={turn.turn} className="worlds-turn" data-mine={turn.from === mineId}>
              <span className="worlds-turn-name wrap" style={{ "--name": colourOf(turn.from) } as React.CSSProperties}>
                {nameOf(turn.from)}
              </span>
              {turn.text !== "" && <Markdown text={turn.text} />}
              <span className="small soft">{note(turn, pauseBefore(turns, at))}</span>
            </li>
          ))}
        </ol>
      </div>
      {away && (
        <button type="button" className="chip worlds-latest" onClick={toEnd}>
          {t("worlds.talk.latest")}
        </button>
      )}
    </div>
  )
}

/** Says each new turn to a screen reader, and nothing of what was there before. */
const Said = ({ last, nameOf }: { readonly last: Turn | undefined; readonly nameOf: (id: string) => string }) => {
  const { t, language } = useText()
  const [first] = useState(last?.turn ?? 0)
  return (
    <div className="hidden" role="status" aria-atomic="true">
      {last !== undefined &&
        last.turn > first &&
        `${t("worlds.talk.said", { name: nameOf(last.from), turn: whole(last.turn, language) })}: ${beginning(last.text, 300)}`}
    </div>
  )
}
