/** How a talk and a request stand, in the page's language. */
import { useCallback } from "react"
import { useText } from "../../i18n/index.ts"
import { whole } from "../../lib/format.ts"
import { isUnderWay } from "./state/talk.ts"
import type { Talk } from "./state/model.ts"

export type Tone = "accent" | "soft" | "good" | "bad"

/** `nameOf`: of the two agents. The words that say it all, and how much they matter. */
export const useStanding = (): ((
  talk: Talk,
  nameOf: (agentId: string) => string
) => { readonly words: string; readonly tone: Tone }) => {
  const { t, language } = useText()
  return useCallback(
    (talk, nameOf) => {
      const { endReason, hands, policy, speaker, status, turn } = talk
      if (status === "kickoff_failed") return { words: t("worlds.talk.kickoffFailed"), tone: "bad" }
      if (!isUnderWay(talk)) {
        return {
          words: endReason === undefined ? t("worlds.talk.over") : t(`worlds.talk.end.${endReason}`),
          tone: "soft"
        }
      }
      if (turn === 0)
        return { words: t("worlds.talk.opening", { name: nameOf(speaker ?? talk.requester) }), tone: "accent" }
      const parts = [
        t("worlds.talk.live"),
        t("worlds.talk.turn", { turn: whole(turn, language), turns: whole(policy.maxTurns, language) }),
        ...(hands.length === 0
          ? []
          : [t("worlds.talk.hands", { count: hands.length, names: hands.map(nameOf).join(", ") })]),
        ...(speaker === undefined ? [] : [t("worlds.talk.next", { name: nameOf(speaker) })])
      ]
      return { words: parts.join(" · "), tone: "accent" }
    },
    [t, language]
  )
}

/** 45 s, 2 min. */
export const useSpan = (): ((ms: number) => string) => {
  const { t, language } = useText()
  return useCallback(
    (ms) => {
      const seconds = Math.round(ms / 1000)
      return seconds >= 60 && seconds % 60 === 0
        ? t("worlds.minutes", { count: whole(seconds / 60, language) })
        : t("worlds.seconds", { count: whole(seconds, language) })
    },
    [t, language]
  )
}
