/** What the tests of paid work on the command line share: a platform, somebody who posts, an agent that works. */
import * as Schema from "effect/Schema"
import { assert } from "vitest"
import { run } from "./cli.ts"

/** No model, whatever the surroundings have. */
export const environment = { OPENAI_API_KEY: "" }

const Signed = Schema.Struct({ token: Schema.String })

/** A door of the platform: gives the `data` of its answer, and takes nothing but success. */
const call = async <A>(
  url: string,
  token: string | undefined,
  data: Schema.Codec<A, unknown>,
  method: string,
  path: string,
  body?: object
): Promise<A> => {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const answer = Schema.decodeUnknownSync(Schema.Struct({ code: Schema.Finite, data: Schema.Unknown }))(
    await response.json()
  )
  assert.strictEqual(answer.code, 0, JSON.stringify(answer.data))
  return Schema.decodeUnknownSync(data)(answer.data)
}

export interface Poster<A> {
  readonly token: string
  readonly api: (method: string, path: string, body?: object) => Promise<A>
}

/** Signs somebody in. `data`: what the test looks at in answers. */
export const poster = async <A>(url: string, data: Schema.Codec<A, unknown>): Promise<Poster<A>> => {
  const { token } = await call(url, undefined, Signed, "POST", "/api/sign-in", { name: "Poster" })
  return { token, api: (method, path, body) => call(url, token, data, method, path, body) }
}

/** Gives the folder an agent of this platform. */
export const registered = async (cwd: string, url: string, description: string): Promise<void> => {
  const { code, stderr } = await run(
    ["register", "--url", url, "--name", "Worker", "--description", description, "--yes"],
    { cwd, env: environment }
  )
  assert.strictEqual(code, 0, stderr)
}
