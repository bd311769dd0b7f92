import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

const done = { text: "Done.", failure: undefined }
const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

forEachDatabase("Sessions", (stores, runs) => {
  it.effect("opens a conversation to its person and its agent, and to nobody else", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const other = yield* conversation("bob")
      assert.deepStrictEqual(yield* sessions.find("ann", session.sessionId), session)
      assert.deepStrictEqual(yield* sessions.findForAgent(session.clawId, session.sessionId), session)
      assert.strictEqual(yield* tagOf(sessions.find("bob", session.sessionId)), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.findForAgent(other.clawId, session.sessionId)), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.rename("bob", session.sessionId, "Mine")), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.remove("bob", session.sessionId)), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.accept({ ...message(session, "m"), userId: "bob" })), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.create("ann", "claw_unknown")), "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("lists what was used last first", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const first = yield* conversation("ann")
      yield* TestClock.adjust("1 second")
      const second = yield* sessions.create("ann", first.clawId)
      yield* TestClock.adjust("1 second")
      const third = yield* conversation("ann")
      yield* TestClock.adjust("1 second")
      yield* sessions.accept(message(first, "m"))
      const ids = (list: ReadonlyArray<{ readonly sessionId: string }>) => list.map((session) => session.sessionId)
      const order = [first.sessionId, third.sessionId, second.sessionId]
      assert.deepStrictEqual(ids(yield* sessions.list("ann")), order)
      const ofAgent = [first.sessionId, second.sessionId]
      assert.deepStrictEqual(ids(yield* sessions.list("ann", first.clawId)), ofAgent)
      assert.deepStrictEqual(ids(yield* sessions.listForAgent(first.clawId, 10)), ofAgent)
      assert.deepStrictEqual(ids(yield* sessions.listForAgent(first.clawId, 1)), [first.sessionId])
      assert.deepStrictEqual(yield* sessions.list("bob"), [])
    }).pipe(Effect.provide(stores()))
  )

  it.effect("takes its title from the first words, and keeps the one a person gave", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const titleAfter = Effect.fnUntraced(function* (...texts: ReadonlyArray<string>) {
        const session = yield* conversation("ann")
        yield* Effect.forEach(texts, (text, i) => sessions.accept(message(session, `m${i}`, text)))
        return (yield* sessions.find("ann", session.sessionId)).title
      })
      assert.strictEqual(yield* titleAfter("  Plan\n\tmy   trip ", "And then?"), "Plan my trip")
      assert.strictEqual(yield* titleAfter("  \n ", "Second"), "Second")
      assert.strictEqual(yield* titleAfter("x".repeat(200)), "x".repeat(60))
      const family = "👨‍👩‍👧‍👦"
      assert.strictEqual(yield* titleAfter("x".repeat(58) + family), "x".repeat(58))
      assert.strictEqual(yield* titleAfter("e\u0301".repeat(40)), "e\u0301".repeat(30))

      const session = yield* conversation("ann")
      const renamed = yield* sessions.rename("ann", session.sessionId, " Trip ")
      assert.strictEqual(renamed.title, "Trip")
      yield* sessions.accept(message(session, "m", "Other words"))
      assert.strictEqual((yield* sessions.find("ann", session.sessionId)).title, "Trip")
      for (const title of ["", " ", "x".repeat(121), "a\u0000"]) {
        assert.strictEqual(yield* tagOf(sessions.rename("ann", session.sessionId, title)), "Invalid")
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("gives back a message as it came", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const input = {
        ...message(session, "m"),
        previousResponseId: "resp_before",
        stream: false,
        metadata: { a: "1", "b\u0000": "\uD800" },
        parts: [
          { type: "input_text" as const, text: "quotes \"' \u0000 \u2028 \uD800 😀" },
          { type: "input_file" as const, fileId: "file_1", url: undefined, filename: "a.txt" },
          { type: "input_image" as const, fileId: undefined, url: "https://example.org/a.png", filename: undefined }
        ]
      }
      const { exchange } = yield* sessions.accept(input)
      assert.deepStrictEqual(exchange, {
        ...input,
        clawId: session.clawId,
        ordinal: exchange.ordinal,
        responseId: exchange.responseId,
        status: "waiting",
        replyText: "",
        failure: undefined,
        createdAt: 0,
        endedAt: undefined
      })
      assert.deepStrictEqual(yield* sessions.findExchange(exchange.responseId), exchange)
      assert.deepStrictEqual(yield* sessions.findByMessage(session.sessionId, "m"), exchange)
      assert.deepStrictEqual(yield* sessions.waiting(session.clawId, 5), [exchange])
      assert.strictEqual(yield* tagOf(sessions.findExchange("resp_unknown")), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.findByMessage(session.sessionId, "other")), "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect.prop(
    "keeps any text of a reply, save for halves of characters and NUL",
    [Schema.String],
    ([text]) =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const session = yield* conversation("ann")
        const { exchange } = yield* sessions.accept(message(session, "m", text))
        yield* sessions.end(exchange.responseId, { text, failure: undefined })
        const found = yield* sessions.findExchange(exchange.responseId)
        assert.deepStrictEqual(found.parts, [{ type: "input_text", text }])
        assert.strictEqual(found.replyText, text.toWellFormed().replaceAll("\u0000", "\uFFFD"))
      }).pipe(Effect.provide(stores())),
    { arbitrary: { runs: runs(20) } }
  )

  it.effect("accepts a message once, however often and at once it comes (law once)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }),
        (_, i) => sessions.accept(message(session, "m", `try ${i}`)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answers.filter(({ fresh }) => fresh).length, 1)
      assert.strictEqual(new Set(answers.map(({ exchange }) => JSON.stringify(exchange))).size, 1)
      const { items } = yield* sessions.history(session.sessionId, { limit: 10 })
      assert.strictEqual(items.length, 1)
      // The same id in another conversation is another message.
      const other = yield* sessions.create("ann", session.clawId)
      assert.isTrue((yield* sessions.accept(message(other, "m"))).fresh)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("ends a reply once: the first end stays (law one-terminal)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { exchange } = yield* sessions.accept(message(session, "m"))
      yield* TestClock.adjust("3 seconds")
      const failure = { code: "CANCELLED", message: "You stopped it." } as const
      const ends = yield* Effect.forEach(
        Array.from({ length: 20 }),
        (_, i) => sessions.end(exchange.responseId, { text: `end ${i}`, failure: i % 2 === 0 ? undefined : failure }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        ends.filter((first) => first),
        [true]
      )
      const found = yield* sessions.findExchange(exchange.responseId)
      assert.strictEqual(found.replyText, `end ${ends.indexOf(true)}`)
      assert.strictEqual(found.endedAt, 3_000)
      yield* sessions.advance(exchange.responseId, "answering")
      assert.strictEqual(yield* sessions.requeue(session.clawId), 0)
      assert.deepStrictEqual(yield* sessions.findExchange(exchange.responseId), found)
      assert.isFalse(yield* sessions.end("resp_unknown", done))
    }).pipe(Effect.provide(stores()))
  )

  it.effect("keeps why a reply failed, and what had come of it", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { exchange } = yield* sessions.accept(message(session, "m"))
      const failure = { code: "INTERRUPTED", message: "The agent stopped." } as const
      assert.isTrue(yield* sessions.end(exchange.responseId, { text: "half an ans", failure }))
      const found = yield* sessions.findExchange(exchange.responseId)
      assert.deepStrictEqual(found, { ...exchange, status: "failed", replyText: "half an ans", failure, endedAt: 0 })
    }).pipe(Effect.provide(stores()))
  )

  it.effect("pages through the history, newest first, each once", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const other = yield* sessions.create("ann", session.clawId)
      for (let i = 0; i < 7; i++) {
        yield* sessions.accept(message(session, `m${i}`))
        yield* sessions.accept(message(other, `m${i}`))
      }
      const seen: Array<string> = []
      let before: number | undefined
      do {
        const page = yield* sessions.history(session.sessionId, { limit: 3, before })
        seen.push(...page.items.map((exchange) => exchange.messageId))
        before = page.next
      } while (before !== undefined)
      assert.deepStrictEqual(seen, ["m6", "m5", "m4", "m3", "m2", "m1", "m0"])
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a full mailbox says so, and still knows what it has (law bounded)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const free = yield* conversation("ann")
      const tries = yield* Effect.forEach(
        Array.from({ length: 10 }),
        (_, i) => Effect.result(sessions.accept(message(session, `m${i}`))),
        { concurrency: "unbounded" }
      )
      const refused = tries.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
      assert.deepStrictEqual(
        refused.map((error) => error._tag),
        Array.from({ length: 6 }, () => "LimitReached" as const)
      )
      assert.strictEqual(yield* sessions.countWaiting(session.clawId), 4)
      assert.isFalse((yield* sessions.accept(message(session, "m0"))).fresh)
      assert.isTrue((yield* sessions.accept(message(free, "m"))).fresh)
      const [oldest] = yield* sessions.waiting(session.clawId, 1)
      assert.isDefined(oldest)
      yield* sessions.advance(oldest?.responseId ?? "", "delivered")
      assert.isTrue((yield* sessions.accept(message(session, "m-next"))).fresh)
    }).pipe(Effect.provide(stores({ sessions: { maxWaiting: 4 } })))
  )

  for (const look of ["findExchange", "findByMessage", "accept", "history", "expire"] as const) {
    it.effect(`a message that waits too long ends as failed, wherever one looks first: ${look}`, () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const looks = {
          findExchange: (at: { readonly responseId: string }) => sessions.findExchange(at.responseId),
          findByMessage: (at: { readonly sessionId: string }) => sessions.findByMessage(at.sessionId, "old"),
          accept: (at: { readonly sessionId: string }) =>
            Effect.map(sessions.accept(message({ ...at, userId: "ann" }, "old")), ({ exchange }) => exchange),
          history: (at: { readonly sessionId: string }) =>
            Effect.map(sessions.history(at.sessionId, { limit: 5 }), ({ items }) => items.at(-1)),
          expire: (at: { readonly sessionId: string }) =>
            Effect.map(sessions.expire, (ended) => ended.find((exchange) => exchange.sessionId === at.sessionId))
        }
        const session = yield* conversation("ann")
        const { exchange } = yield* sessions.accept(message(session, "old"))
        yield* TestClock.adjust("6 days")
        yield* sessions.accept(message(session, "young"))
        yield* TestClock.adjust("1 day")
        const found = yield* looks[look](exchange)
        assert.strictEqual(found?.status, "failed")
        assert.strictEqual(found?.failure?.code, "TIMEOUT")
        assert.strictEqual(found?.endedAt, (found?.createdAt ?? 0) + 7 * 86_400_000)
        const waiting = yield* sessions.waiting(session.clawId, 10)
        assert.deepStrictEqual(
          waiting.map((exchange) => exchange.messageId),
          ["young"]
        )
        assert.strictEqual(yield* sessions.countWaiting(session.clawId), 1)
        assert.strictEqual((yield* sessions.open(session.clawId)).length, 1)
        assert.isFalse(yield* sessions.end(exchange.responseId, done))
      }).pipe(Effect.provide(stores()))
    )
  }

  it.effect("what waited too long leaves its room in the mailbox; what was delivered never expires", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const delivered = (yield* sessions.accept(message(session, "a"))).exchange
      yield* sessions.advance(delivered.responseId, "delivered")
      yield* sessions.accept(message(session, "b"))
      assert.strictEqual(yield* tagOf(sessions.accept(message(session, "c"))), "LimitReached")
      yield* TestClock.adjust("1 hour")
      assert.isTrue((yield* sessions.accept(message(session, "c"))).fresh)
      assert.strictEqual((yield* sessions.findExchange(delivered.responseId)).status, "delivered")
      assert.deepStrictEqual(
        (yield* sessions.expire).map((exchange) => exchange.messageId),
        ["b"]
      )
      assert.deepStrictEqual(yield* sessions.expire, [])
    }).pipe(Effect.provide(stores({ sessions: { maxWaiting: 1, waitingLifetime: "1 hour" } })))
  )

  it.effect("a removed conversation takes its messages along, and its numbers are not given again", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { exchange } = yield* sessions.accept(message(session, "m"))
      yield* sessions.remove("ann", session.sessionId)
      assert.strictEqual(yield* tagOf(sessions.find("ann", session.sessionId)), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.findExchange(exchange.responseId)), "NotFound")
      assert.strictEqual(yield* tagOf(sessions.accept(message(session, "m2"))), "NotFound")
      assert.deepStrictEqual(yield* sessions.open(session.clawId), [])
      assert.isFalse(yield* sessions.end(exchange.responseId, done))
      const next = yield* sessions.create("ann", session.clawId)
      assert.isAbove((yield* sessions.accept(message(next, "m"))).exchange.ordinal, exchange.ordinal)
    }).pipe(Effect.provide(stores()))
  )
})
