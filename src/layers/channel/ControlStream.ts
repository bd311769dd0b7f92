/**
 * A reader's stream: the whole snapshot, then what changed, at most five times a second, and a comment where it is
 * quiet. Nothing is prepared before the reader has taken what came before, so a slow one is given less, never a queue
 * (law bounded).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Account } from "../../services/channel/Accounts.ts"
import type { AccountChange, AccountView, Changes } from "../../services/channel/Control.ts"
import { chosenOf, type ControlDesk } from "./ControlDesk.ts"

const every = 200
/** Accounts that are not shown in detail are looked at once a second. */
const others = 5
/** A quiet stream says so before anyone takes its silence for death. */
export const quiet = 10_000

const utf8 = new TextEncoder()
const comment = utf8.encode(": still here\n\n")
const event = (name: string, data: unknown): Uint8Array =>
  utf8.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

const fieldsOf = (view: AccountView): ReadonlyArray<keyof AccountView> => Object.keys(view) as Array<keyof AccountView>

/** What the reader has of each account: the fields as they were sent. */
type Sent = Map<string, Map<keyof AccountView, string>>

const remember = (sent: Sent, view: AccountView): void =>
  void sent.set(view.id, new Map(fieldsOf(view).map((field) => [field, JSON.stringify(view[field])])))

const changeOf = (sent: Sent, view: AccountView): AccountChange | undefined => {
  const before = sent.get(view.id)
  const fields = fieldsOf(view).filter((field) => {
    const now = JSON.stringify(view[field])
    if (before?.get(field) === now) return false
    before?.set(field, now)
    return true
  })
  return fields.length === 0
    ? undefined
    : { ...Object.fromEntries(fields.map((field) => [field, view[field]])), id: view.id }
}

interface Reading {
  /** Accounts in their order, as the reader knows them. */
  readonly ids: string
  readonly turn: number
  /** When something was said last. */
  readonly at: number
}

const idsOf = (all: ReadonlyArray<Account>): string => JSON.stringify(all.map(({ id }) => id))

export const make = (desk: ControlDesk, wanted: string | undefined): Stream.Stream<Uint8Array> => {
  const sent: Sent = new Map()

  const whole = Effect.fnUntraced(function* (turn: number) {
    const snapshot = yield* desk.snapshot(wanted)
    sent.clear()
    for (const view of snapshot.accounts) remember(sent, view)
    const ids = JSON.stringify(snapshot.accounts.map(({ id }) => id))
    return [event("snapshot", snapshot), { ids, turn, at: snapshot.at }] as const
  })

  const step: (reading: Reading) => Effect.Effect<readonly [Uint8Array, Reading]> = Effect.fnUntraced(
    function* (reading) {
      let turn = reading.turn
      while (true) {
        yield* Effect.sleep(every)
        turn += 1
        const all = yield* desk.accounts
        if (idsOf(all) !== reading.ids) return yield* whole(turn)
        const chosen = chosenOf(all, wanted)
        const looked = turn % others === 0 ? all : all.filter(({ id }) => id === chosen)
        const accounts = (yield* Effect.forEach(looked, (account) =>
          desk.view(account, account.id === chosen)
        )).flatMap((view) => changeOf(sent, view) ?? [])
        const now = yield* Clock.currentTimeMillis
        if (accounts.length > 0) {
          return [
            event("changes", { at: now, accounts } satisfies Changes),
            { ids: reading.ids, turn, at: now }
          ] as const
        }
        if (now - reading.at >= quiet) return [comment, { ids: reading.ids, turn, at: now }] as const
      }
    }
  )

  return Stream.unfold<Reading | undefined, Uint8Array, never, never>(undefined, (reading) =>
    reading === undefined ? whole(0) : step(reading)
  )
}
