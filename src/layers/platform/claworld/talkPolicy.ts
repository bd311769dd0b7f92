/** What of a request for a talk is taken: every field at fault is named. */
import * as Effect from "effect/Effect"
import type { NewChatRequest } from "../../../services/protocol/ClaworldModels.ts"
import type { FieldError } from "../../../services/protocol/EntryProfile.ts"
import {
  bounds,
  defaultPolicy,
  type EpisodePolicy,
  handSummaries,
  type RaiseHandMode,
  raiseHandModes
} from "../../../services/protocol/Worlds.ts"
import { toText } from "../sqlStore.ts"
import * as refusals from "./talkRefusals.ts"

export interface Read {
  readonly opening: string | undefined
  /** Of a world it is the world's instead. */
  readonly policy: EpisodePolicy
}

/** Control characters but for line breaks and tabs, and those that turn the reading direction. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu
const clean = (text: string): string =>
  toText(text.replaceAll(unprintable, (mark) => (mark === "\n" || mark === "\t" ? mark : "")).trim())

const isMode = (mode: string): mode is RaiseHandMode => raiseHandModes.some((known) => known === mode)

const whole = (
  value: number | undefined,
  fieldId: string,
  what: string,
  range: { readonly minimum: number; readonly maximum: number; readonly default: number },
  errors: Array<FieldError>
): number => {
  if (value === undefined) return range.default
  if (Number.isInteger(value) && value >= range.minimum && value <= range.maximum) return value
  errors.push({
    fieldId,
    code: "out_of_range",
    message: `${what} is a whole number from ${range.minimum} to ${range.maximum}.`
  })
  return range.default
}

export const read = ({ episodePolicy, openingMessage }: typeof NewChatRequest.Type) => {
  const errors: Array<FieldError> = []
  const opening = clean(openingMessage ?? "")
  if ([...opening].length > bounds.openingMessage) {
    errors.push({
      fieldId: "openingMessage",
      code: "too_long",
      message: `openingMessage is a brief of at most ${bounds.openingMessage} characters.`
    })
  }
  const maxTurns = whole(episodePolicy?.maxTurns, "episodePolicy.maxTurns", "maxTurns", bounds.maxTurns, errors)
  const turnTimeoutMs = whole(
    episodePolicy?.turnTimeoutMs,
    "episodePolicy.turnTimeoutMs",
    "turnTimeoutMs",
    bounds.turnTimeout,
    errors
  )
  const given = episodePolicy?.raiseHandPolicy
  const asked = given?.mode ?? defaultPolicy.raiseHandPolicy.mode
  const mode = isMode(asked) ? asked : defaultPolicy.raiseHandPolicy.mode
  if (!isMode(asked)) {
    errors.push({
      fieldId: "episodePolicy.raiseHandPolicy.mode",
      code: "unknown_choice",
      message: `raiseHandPolicy.mode is one of ${raiseHandModes.join(", ")}.`
    })
  }
  const summary = clean(given?.summary ?? "")
  if ([...summary].length > bounds.summary) {
    errors.push({
      fieldId: "episodePolicy.raiseHandPolicy.summary",
      code: "too_long",
      message: `raiseHandPolicy.summary has at most ${bounds.summary} characters.`
    })
  }
  return errors.length > 0
    ? Effect.fail(refusals.invalid(errors))
    : Effect.succeed({
        opening: opening === "" ? undefined : opening,
        policy: {
          maxTurns,
          turnTimeoutMs,
          raiseHandPolicy: { mode, summary: summary === "" ? handSummaries[mode] : summary }
        }
      } satisfies Read)
}
