/** Who a person is on a platform: signs in, says who one is, signs out. The token goes into a file and nowhere else. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Models from "../../services/protocol/ApiModels.ts"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import { ownName } from "./chat.ts"
import { readAll } from "./terminal.ts"
import * as PlatformClient from "./PlatformClient.ts"
import * as signIns from "./signIns.ts"

export interface Input {
  readonly url: Option.Option<string>
  readonly name: Option.Option<string>
  readonly key: boolean
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

const hidden = (message: string) =>
  Prompt.run(Prompt.Hidden({ message })).pipe(Effect.catchTag("QuitError", () => Effect.interrupt))

/** Of whoever holds the token. */
const me = Effect.fnUntraced(function* (url: string, token: Redacted.Redacted<string>) {
  const client = yield* PlatformClient.make({ url, token })
  const { data } = yield* client.ask(Models.Answer(Models.Me), HttpClientRequest.get(client.path("api/me")), token)
  return data
})

/** A key made on the page: typed unseen on a terminal, or the whole of standard input. */
const readKey = Effect.fnUntraced(function* (interactive: boolean) {
  if (!interactive && process.stdin.isTTY === true) {
    return yield* fail(
      "A key is not read from a terminal beside --json. Give it like: clawfiber sign-in --key < key.txt"
    )
  }
  const text = interactive ? Redacted.value(yield* hidden("Your key (it is not shown):")) : yield* readAll
  const key = text.trim()
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) {
    return yield* fail(
      interactive ? "That is no key." : "Standard input holds no key. Give it like: clawfiber sign-in --key < key.txt"
    )
  }
  return Redacted.make(key)
})

const byName = Effect.fnUntraced(function* (url: string, name: string, interactive: boolean) {
  const client = yield* PlatformClient.make({ url, token: undefined })
  return yield* client.signIn(name).pipe(
    Effect.catch((error) => {
      if (error.refused !== true) return Effect.fail(error)
      const how = "Make a key on the platform's page (Keys), and give it here."
      return interactive
        ? Effect.andThen(Output.problem(`${error.message} ${how}`), readKey(true))
        : fail(`${error.message} Then: clawfiber sign-in --url ${url} --key < file-with-the-key`)
    })
  )
})

const running = <E>(
  input: Common,
  program: (settings: Settings.Settings) => Effect.Effect<void, E, HttpClient | NodeServices.NodeServices>
) =>
  withSettings({ json: input.json, ignore: Settings.allBut("token", "log") }, (settings) =>
    program(settings).pipe(Effect.provide([FetchHttpClient.layer, NodeServices.layer]))
  )

export const run = (input: Input & Common) =>
  running(input, () =>
    Effect.gen(function* () {
      const url = Option.getOrElse(input.url, () => signIns.defaultUrl)
      const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true && !input.json
      if (input.key && Option.isSome(input.name)) {
        return yield* fail("--name and --key are two ways to sign in: take one. A key belongs to a name already.")
      }
      const origin = yield* signIns.originOf(url)
      const token = input.key
        ? yield* readKey(interactive)
        : yield* byName(url, Option.getOrElse(input.name, () => "") || (yield* ownName), interactive)
      const { name, user_id } = yield* me(url, token)
      const path = yield* signIns.keep({ origin, user_id, name, token })
      if (input.json) return yield* Output.event({ event: "signed_in", url: origin, user_id, name, file: path })
      yield* Output.line(`Signed in at ${origin} as ${name} (${user_id}). It is kept in ${path}, for you alone.`)
    })
  )

export const signOut = (input: Pick<Input, "url"> & Common) =>
  running(input, () =>
    Effect.gen(function* () {
      const url = yield* signIns.chosenUrl(input.url)
      const origin = yield* signIns.originOf(url)
      const was = yield* signIns.forget(url)
      if (input.json) return yield* Output.event({ event: "signed_out", url: origin, was_signed_in: was })
      yield* Output.line(
        was
          ? `Signed out of ${origin}. A key that was given stays good until it is revoked on the page.`
          : `Nobody was signed in at ${origin} from this folder.`
      )
    })
  )

export const whoami = (input: Pick<Input, "url"> & Common) =>
  running(input, (settings) =>
    Effect.gen(function* () {
      const url = yield* signIns.chosenUrl(input.url)
      const origin = yield* signIns.originOf(url)
      const token = settings.token ?? (yield* signIns.tokenOf(url))
      if (token === undefined)
        return yield* fail(`Nobody is signed in at ${origin} from this folder. Run: clawfiber sign-in --url ${origin}`)
      const { name, user_id } = yield* me(url, token)
      if (input.json) {
        const from = settings.token === undefined ? "sign-in" : "CLAWFIBER_TOKEN"
        return yield* Output.event({ event: "person", url: origin, user_id, name, from })
      }
      yield* Output.line(
        `${name} (${user_id}) at ${origin}${settings.token === undefined ? "" : ", by CLAWFIBER_TOKEN"}`
      )
    })
  )
