/** Tokens of another issuer: real keys of jose, an issuer on this machine. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { exportJWK } from "jose/key/export"
import { generateKeyPair } from "jose/key/generate/keypair"
import { UnsecuredJWT } from "jose/jwt/unsecured"
import { SignJWT } from "jose/jwt/sign"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as JwksIssuer from "../../src/layers/platform/JwksIssuer.ts"
import { call, person, signIn, start } from "../layers/platform/edge/harness.ts"

type Pair = Awaited<ReturnType<typeof generateKeyPair>>
type Jwk = Record<string, unknown>

interface Issuer {
  readonly origin: string
  readonly options: JwksIssuer.Options
  readonly state: { keys: ReadonlyArray<Jwk>; isDown: boolean; redirectTo: string | undefined; asked: number }
}

const issuerOnThisMachine: Effect.Effect<Issuer, never, import("effect/Scope").Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const state: Issuer["state"] = { keys: [], isDown: false, redirectTo: undefined, asked: 0 }
    const server = createServer((_, response) => {
      state.asked++
      if (state.isDown) return void response.writeHead(503).end()
      if (state.redirectTo !== undefined) return void response.writeHead(302, { location: state.redirectTo }).end()
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: state.keys }))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { origin, options: { issuer: origin, audience: "clawfiber here" }, state, server }
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
)

const pair = (algorithm: string) => Effect.promise(() => generateKeyPair(algorithm, { extractable: true }))
const jwk = (keys: Pair, kid: string): Effect.Effect<Jwk> =>
  Effect.promise(async () => ({ ...(await exportJWK(keys.publicKey)), kid }))

interface Made {
  readonly algorithm?: string
  readonly kid?: string
  readonly issuer?: string
  readonly audience?: string
  readonly subject?: string | undefined
  readonly expires?: number
  readonly notBefore?: number
  readonly claims?: Record<string, unknown>
}

/** Seconds of the real clock: the platform of these tests runs on it. */
const now = () => Math.floor(Date.now() / 1000)

const token = (issuer: Issuer, keys: Pair, made: Made = {}) =>
  Effect.promise(() => {
    const jwt = new SignJWT({ name: "Ann of elsewhere", ...made.claims })
      .setProtectedHeader({ alg: made.algorithm ?? "ES256", kid: made.kid ?? "k1" })
      .setIssuer(made.issuer ?? issuer.origin)
      .setAudience(made.audience ?? issuer.options.audience)
      .setExpirationTime(made.expires ?? now() + 600)
    if (made.notBefore !== undefined) jwt.setNotBefore(made.notBefore)
    if (!("subject" in made) || made.subject !== undefined) jwt.setSubject(made.subject ?? "sub-1")
    return jwt.sign(keys.privateKey)
  })

const statusOf = (platform: Parameters<typeof call>[0], bearer: string) =>
  Effect.map(call(platform, "GET", "/api/me", { token: bearer }), ({ status }) => status)

const setUp = Effect.gen(function* () {
  const issuer = yield* issuerOnThisMachine
  const keys = yield* pair("ES256")
  issuer.state.keys = [yield* jwk(keys, "k1")]
  const platform = yield* start({ issuer: issuer.options })
  return { issuer, keys, platform }
})

describe("a token of another issuer", () => {
  it.live("is taken everywhere; the same subject is the same person under whatever name", () =>
    Effect.gen(function* () {
      const { issuer, keys, platform } = yield* setUp
      const first = yield* token(issuer, keys)
      const me = yield* call(platform, "GET", "/api/me", { token: first })
      assert.strictEqual(me.status, 200)
      assert.strictEqual(me.body["data"]["name"], "Ann of elsewhere")
      const again = yield* token(issuer, keys, { claims: { name: "Ann, renamed" } })
      const renamed = yield* call(platform, "GET", "/api/me", { token: again })
      assert.strictEqual(renamed.body["data"]["user_id"], me.body["data"]["user_id"])
      assert.strictEqual(renamed.body["data"]["name"], "Ann, renamed")
      yield* person(platform, first)
      assert.strictEqual((yield* call(platform, "GET", "/v1/models", { token: first })).status, 200)
      // A key of theirs works like any other.
      const made = yield* call(platform, "POST", "/api/keys", { token: first, body: { name: "k" } })
      const byKey = yield* call(platform, "GET", "/api/me", { token: made.body["data"]["key"] })
      assert.strictEqual(byKey.body["data"]["user_id"], me.body["data"]["user_id"])
      // Others see what the last token called them.
      assert.strictEqual(byKey.body["data"]["name"], "Ann of elsewhere")
    })
  )

  it.live("makes nobody of the same name here the same person, nor the other way", () =>
    Effect.gen(function* () {
      const { issuer, keys, platform } = yield* setUp
      const local = yield* signIn(platform, "Ann")
      const bearer = yield* token(issuer, keys, { claims: { name: "Ann" }, subject: "Ann" })
      const me = yield* call(platform, "GET", "/api/me", { token: bearer })
      assert.strictEqual(me.body["data"]["name"], "Ann")
      assert.notStrictEqual(me.body["data"]["user_id"], local.user_id)
      for (const name of [`\u001f${issuer.origin}\u001fAnn`, `${issuer.origin}|Ann`]) {
        const tried = yield* call(platform, "POST", "/api/sign-in", { body: { name } })
        assert.notStrictEqual(tried.body["data"]?.["user_id"], me.body["data"]["user_id"])
      }
      assert.strictEqual((yield* signIn(platform, "Ann")).user_id, local.user_id)
    })
  )

  it.live("is refused where anything about it is wrong", () =>
    Effect.gen(function* () {
      const { issuer, keys, platform } = yield* setUp
      const stranger = yield* pair("ES256")
      const wrong: ReadonlyArray<readonly [what: string, bearer: string]> = [
        ["another audience", yield* token(issuer, keys, { audience: "another service" })],
        ["another issuer", yield* token(issuer, keys, { issuer: "https://elsewhere.example" })],
        ["expired", yield* token(issuer, keys, { expires: now() - 120 })],
        ["not yet good", yield* token(issuer, keys, { notBefore: now() + 600 })],
        ["no subject", yield* token(issuer, keys, { subject: undefined })],
        ["a subject without end", yield* token(issuer, keys, { subject: "s".repeat(300) })],
        ["another's key under the known name", yield* token(issuer, stranger)],
        ["an unknown key", yield* token(issuer, stranger, { kid: "k9" })],
        // The one before the last four: some bits of the very last letter of a signature mean nothing.
        ["a changed letter", (yield* token(issuer, keys)).replace(/.(?=.{4}$)/, (one) => (one === "A" ? "B" : "A"))]
      ]
      for (const [what, bearer] of wrong) {
        const { body, status } = yield* call(platform, "GET", "/api/me", { token: bearer })
        assert.strictEqual(status, 401, what)
        assert.notInclude(JSON.stringify(body), bearer, what)
      }
      assert.strictEqual(yield* statusOf(platform, yield* token(issuer, keys)), 200)
    })
  )

  it.live("chooses no algorithm: none, and a public key used as a shared secret, are refused", () =>
    Effect.gen(function* () {
      const issuer = yield* issuerOnThisMachine
      const keys = yield* pair("RS256")
      const shown = yield* jwk(keys, "k1")
      // An issuer that shows a shared secret by mistake makes it no key of ours.
      const secret = Buffer.from("a shared secret that is long enough").toString("base64url")
      issuer.state.keys = [shown, { kty: "oct", k: secret, kid: "shared", alg: "HS256" }]
      const platform = yield* start({ issuer: issuer.options })
      const claims = { iss: issuer.origin, aud: issuer.options.audience, sub: "sub-1", exp: now() + 600 }
      const hmac = (kid: string, key: string | Buffer) => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
        const body = `${part({ alg: "HS256", kid })}.${part(claims)}`
        return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`
      }
      const none = new UnsecuredJWT(claims).encode()
      for (const bearer of [
        none,
        hmac("k1", JSON.stringify(shown)),
        hmac("k1", Buffer.from(String(shown["n"]), "base64url")),
        hmac("shared", Buffer.from(secret, "base64url"))
      ]) {
        assert.strictEqual(yield* statusOf(platform, bearer), 401)
      }
      assert.strictEqual(yield* statusOf(platform, yield* token(issuer, keys, { algorithm: "RS256" })), 200)
    })
  )

  it.live("never stands in for the platform's own: each is checked by its own keys alone", () =>
    Effect.gen(function* () {
      const { issuer, keys, platform } = yield* setUp
      const { user_id } = yield* signIn(platform, "Ann")
      const forged = yield* token(issuer, keys, {
        issuer: "clawfiber",
        audience: "clawfiber/people",
        subject: user_id
      })
      assert.strictEqual(yield* statusOf(platform, forged), 401)
      const plain = yield* start()
      assert.strictEqual(yield* statusOf(plain, yield* token(issuer, keys)), 401)
    })
  )
})

describe("the issuer's keys", () => {
  const verify = (issuer: JwksIssuerService, bearer: string) => Effect.exit(issuer.verify(Redacted.make(bearer)))
  type JwksIssuerService = Effect.Success<ReturnType<typeof JwksIssuer.make>>

  /** On a clock of its own, which starts now: tokens are of today. */
  const make = (options: JwksIssuer.Options) =>
    Effect.andThen(TestClock.setTime(now() * 1000), JwksIssuer.make(options)).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
    )

  it.effect("are fetched once, anew for a name that is not among them, at most twice a minute", () =>
    Effect.gen(function* () {
      const issuer = yield* issuerOnThisMachine
      const first = yield* pair("ES256")
      const second = yield* pair("EdDSA")
      issuer.state.keys = [yield* jwk(first, "k1")]
      const service = yield* make(issuer.options)
      const long = { expires: now() + 100_000 }
      const old = yield* token(issuer, first, long)
      for (let index = 0; index < 5; index++) assert.isTrue(Exit.isSuccess(yield* verify(service, old)))
      assert.strictEqual(issuer.state.asked, 1)
      // The issuer changes its key.
      issuer.state.keys = [yield* jwk(second, "k2")]
      const fresh = yield* token(issuer, second, { ...long, kid: "k2", algorithm: "EdDSA" })
      assert.isTrue(Exit.isFailure(yield* verify(service, fresh)))
      assert.strictEqual(issuer.state.asked, 1)
      yield* TestClock.adjust("30 seconds")
      assert.isTrue(Exit.isSuccess(yield* verify(service, fresh)))
      assert.isTrue(Exit.isFailure(yield* verify(service, old)))
      assert.strictEqual(issuer.state.asked, 2)
      // Made-up names make nobody ask without end.
      for (let index = 0; index < 20; index++) {
        yield* verify(service, yield* token(issuer, first, { ...long, kid: `made up ${index}` }))
      }
      assert.strictEqual(issuer.state.asked, 2)
    })
  )

  it.effect("of before are good for a day while the issuer is away, no longer", () =>
    Effect.gen(function* () {
      const issuer = yield* issuerOnThisMachine
      const keys = yield* pair("ES256")
      issuer.state.keys = [yield* jwk(keys, "k1")]
      const service = yield* make(issuer.options)
      const bearer = yield* token(issuer, keys, { expires: now() + 300_000 })
      assert.isTrue(Exit.isSuccess(yield* verify(service, bearer)))
      issuer.state.isDown = true
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.isSuccess(yield* verify(service, bearer)))
      yield* TestClock.adjust("24 hours")
      assert.isTrue(Exit.isFailure(yield* verify(service, bearer)))
      issuer.state.isDown = false
      yield* TestClock.adjust("30 seconds")
      assert.isTrue(Exit.isSuccess(yield* verify(service, bearer)))
    })
  )

  it.effect("come from where the operator said: no redirect is followed", () =>
    Effect.gen(function* () {
      const issuer = yield* issuerOnThisMachine
      const other = yield* issuerOnThisMachine
      const keys = yield* pair("ES256")
      other.state.keys = [yield* jwk(keys, "k1")]
      issuer.state.redirectTo = `${other.origin}/keys`
      const service = yield* make(issuer.options)
      assert.isTrue(Exit.isFailure(yield* verify(service, yield* token(issuer, keys))))
      assert.strictEqual(other.state.asked, 0)
    })
  )

  it.effect("are fetched in clear from this machine only", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make({ issuer: "http://issuer.example", audience: "a" }))
      assert.strictEqual(error._tag, "IssuerError")
      assert.include(error.message, "https")
      yield* make({ issuer: "https://issuer.example/", audience: "a" })
      assert.strictEqual(
        (yield* Effect.flip(make({ issuer: "x", audience: "a", jwks: "https://user:pw@issuer.example" })))._tag,
        "IssuerError"
      )
    })
  )
})
