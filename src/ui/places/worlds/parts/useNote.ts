import { useCallback } from "react"
import { useText } from "../../../i18n/index.ts"
import { seconds, whole } from "../../../lib/format.ts"
import type { Turn } from "../state/model.ts"

/** What is said of a turn beside its words: which it is, how long it took, a hand. */
export const useNote = (): ((turn: Turn, pause?: number) => string) => {
  const { t, language } = useText()
  return useCallback(
    (turn, pause) => {
      const number = whole(turn.turn, language)
      return [
        pause === undefined
          ? t("worlds.talk.noteTurn", { turn: number })
          : t("worlds.talk.noteAfter", { turn: number, seconds: seconds(pause, language) }),
        ...(turn.silence === undefined
          ? []
          : [
              t(
                turn.silence === "runtime_failed_before_reply"
                  ? "worlds.talk.silence.runtime_failed_before_reply"
                  : "worlds.talk.silence"
              )
            ]),
        ...(turn.raisedHand ? [t("worlds.talk.noteHand")] : [])
      ].join(" · ")
    },
    [t, language]
  )
}
