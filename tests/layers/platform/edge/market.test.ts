/** The task market as strangers meet it: over HTTP, with plain `fetch`, by the tables of the protocol. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { evil, good } from "../market/zips.ts"
import { call, type Json, type Keys, openSession, type Platform, rawCall, register, signIn, start } from "./harness.ts"

const headersOf = (keys: Keys) => ({ "x-api-key": keys.app_key, "x-api-secret": keys.app_secret })

const bot = (platform: Platform, keys: Keys, method: string, path: string, body?: unknown, attempt?: string) =>
  call(platform, method, path, {
    headers: { ...headersOf(keys), ...(attempt === undefined ? {} : { "idempotency-key": attempt }) },
    ...(body === undefined ? {} : { body })
  })

const send = (
  platform: Platform,
  keys: Keys,
  path: string,
  fields: ReadonlyArray<readonly [string, string | Blob]>,
  attempt?: string
): Effect.Effect<{ readonly status: number; readonly body: Json }> =>
  Effect.promise(async () => {
    const form = new FormData()
    for (const [name, value] of fields) {
      if (typeof value === "string") form.append(name, value)
      else form.append(name, value, name === "zip_file" ? "../delivery.zip" : "résumé.html")
    }
    const headers = { ...headersOf(keys), ...(attempt === undefined ? {} : { "idempotency-key": attempt }) }
    const response = await fetch(platform.url + path, { method: "POST", headers, body: form })
    const body = (await response.json()) as Json
    return { status: response.status, body }
  })

const posting = {
  title: "Clean up a text",
  description: "Remove the double spaces.",
  category: "07001",
  bounty: "12.5"
}

const post = (platform: Platform, token: string, body: object = {}): Effect.Effect<string> =>
  Effect.map(
    call(platform, "POST", "/api/tasks", { token, body: { ...posting, ...body } }),
    ({ body }) => body["data"]["id"]
  )

const scene = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const ann = yield* signIn(platform)
  return { platform, keys, ann, taskId: yield* post(platform, ann.token) }
})

const zipOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes], { type: "application/zip" })

describe("the bot API", () => {
  it.live("a task from the post to the pay", () =>
    Effect.gen(function* () {
      const { ann, keys, platform, taskId } = yield* scene
      const list = yield* bot(platform, keys, "GET", "/bots/tasks/available")
      assert.deepInclude(list.body, { code: 0, message: "ok" })
      const { items, ...page } = list.body["data"]
      assert.deepStrictEqual(page, { total: 1, page: 1, page_size: 20, total_pages: 1 })
      assert.hasAllKeys(items[0], ["id", "title", "category", "bounty", "deadline", "created_at"])
      assert.deepInclude(items[0], { id: taskId, bounty: "12.5", deadline: null })
      const task = yield* bot(platform, keys, "GET", `/bots/tasks/${taskId}`)
      assert.deepInclude(task.body["data"], { status: "available", visibility: "public", creator_id: ann.user_id })

      const grabbed = yield* bot(platform, keys, "POST", `/bots/tasks/${taskId}/grab`)
      assert.strictEqual(grabbed.body["data"]["task_id"], taskId)
      assert.strictEqual(grabbed.body["data"]["lease"]["fencing"], 1)
      const lease = yield* bot(platform, keys, "POST", `/bots/tasks/${taskId}/lease`, { fencing: 1 })
      assert.isAbove(lease.body["data"]["until"], Date.now())
      const status = yield* bot(platform, keys, "PUT", `/bots/tasks/${taskId}/status`, { status: "in_progress" })
      assert.deepInclude(status.body["data"], { task_id: taskId, status: "in_progress" })
      const delivered = yield* send(platform, keys, `/bots/tasks/${taskId}/deliverable`, [
        ["zip_file", zipOf(good)],
        ["result_description", "All clean."]
      ])
      assert.strictEqual(delivered.status, 200)
      const { result_zip_url, uploaded_at } = delivered.body["data"]
      assert.match(result_zip_url, /^\/artifacts\/art_/)
      assert.isAtMost(uploaded_at, Date.now())

      const shown = yield* call(platform, "GET", `/api/tasks/${taskId}`, { token: ann.token })
      const { agent_name, deliverable } = shown.body["data"]
      assert.strictEqual(agent_name, "Echo")
      assert.deepInclude(deliverable["archive"], { file_name: "delivery.zip", size: good.length })
      assert.deepStrictEqual(
        deliverable["archive"]["entries"].map(({ path }: Json) => path),
        ["metadata.json", "output/汉字.txt"]
      )
      const bytes = yield* Effect.promise(async () => {
        const headers = { authorization: `Bearer ${ann.token}` }
        const response = await fetch(`${platform.url}/api/tasks/${taskId}/deliverable`, { headers })
        assert.match(response.headers.get("content-disposition") ?? "", /^attachment/)
        assert.strictEqual(response.headers.get("x-content-type-options"), "nosniff")
        return new Uint8Array(await response.arrayBuffer())
      })
      assert.deepStrictEqual(bytes, good)
      const bob = yield* signIn(platform, "Bob")
      const stranger = yield* register(platform, "Stranger")
      assert.strictEqual((yield* call(platform, "GET", result_zip_url, { token: bob.token })).status, 404)
      assert.strictEqual((yield* bot(platform, stranger, "GET", result_zip_url)).status, 404)
      assert.strictEqual((yield* call(platform, "GET", result_zip_url)).status, 401)
      assert.strictEqual((yield* bot(platform, keys, "GET", result_zip_url)).status, 200)
      assert.strictEqual((yield* call(platform, "GET", `/api/tasks/${taskId}`, { token: bob.token })).status, 404)

      const accept = () =>
        call(platform, "POST", `/api/tasks/${taskId}/accept`, {
          token: ann.token,
          headers: { "idempotency-key": "accept-1" }
        })
      assert.strictEqual((yield* accept()).body["data"]["review"], "accepted")
      assert.strictEqual((yield* accept()).status, 200)
      assert.strictEqual(
        (yield* call(platform, "POST", `/api/tasks/${taskId}/return`, { token: ann.token, body: { reason: "x" } }))
          .status,
        409
      )
      const ledger = yield* call(platform, "GET", "/api/ledger", { token: ann.token })
      assert.strictEqual(ledger.body["data"]["balance"], "987.5")
      assert.deepStrictEqual(
        ledger.body["data"]["items"].map(({ amount, kind }: Json) => [kind, amount]),
        [
          ["reserve", "-12.5"],
          ["grant", "1000"]
        ]
      )
      const earned = yield* bot(platform, keys, "GET", "/bots/ledger?limit=5")
      assert.deepInclude(earned.body["data"], { paid_to: "agent", balance: "12.5" })
      assert.deepInclude(earned.body["data"]["items"][0], { kind: "pay", amount: "12.5", task_id: taskId })
      const nobody = yield* call(platform, "GET", "/bots/ledger")
      assert.deepStrictEqual([nobody.status, nobody.body["code"]], [401, 40100])
      assert.strictEqual((yield* bot(platform, keys, "GET", "/bots/ledger?limit=0")).status, 400)
    })
  )

  it.live("each refusal has the code of the protocol", () =>
    Effect.gen(function* () {
      const { ann, keys, platform, taskId } = yield* scene
      const other = yield* register(platform, "Other")
      const says = (answer: { readonly status: number; readonly body: Json }, status: number, code: number) => {
        assert.deepStrictEqual([answer.status, answer.body["code"]], [status, code], answer.body["message"])
        assert.isNull(answer.body["data"])
        assert.match(answer.body["message"], /\.$/)
      }
      const path = `/bots/tasks/${taskId}`
      says(yield* call(platform, "GET", "/bots/tasks/available"), 401, 40100)
      says(yield* call(platform, "POST", `${path}/grab`, { token: ann.token }), 401, 40100)
      const wrong = { ...keys, app_secret: "wrong" }
      says(yield* bot(platform, wrong, "GET", "/bots/tasks/available"), 401, 40101)
      for (const query of ["page=0", "page=x", "page_size=101", "page_size=-1", "category=text"]) {
        says(yield* bot(platform, keys, "GET", `/bots/tasks/available?${query}`), 400, 40000)
      }
      says(yield* bot(platform, keys, "GET", "/bots/tasks/task_unknown"), 404, 40003)
      says(yield* bot(platform, keys, "POST", "/bots/tasks/%00/grab"), 404, 40003)
      says(yield* bot(platform, keys, "POST", `${path}/lease`, { fencing: 1 }), 409, 40002)
      says(yield* bot(platform, keys, "PUT", `${path}/status`, { status: "in_progress" }), 409, 40002)
      assert.strictEqual((yield* bot(platform, keys, "POST", `${path}/grab`, undefined, "g-1")).status, 200)
      assert.strictEqual((yield* bot(platform, keys, "POST", `${path}/grab`, undefined, "g-1")).status, 200)
      says(yield* bot(platform, keys, "POST", `${path}/grab`), 409, 40001)
      says(yield* bot(platform, other, "POST", `${path}/grab`), 409, 40001)
      says(yield* bot(platform, other, "GET", path), 404, 40003)
      says(yield* bot(platform, other, "PUT", `${path}/status`, { status: "cancelled" }), 404, 40003)
      says(yield* send(platform, other, `${path}/deliverable`, [["result_description", "mine"]]), 404, 40003)
      says(yield* bot(platform, keys, "PUT", `${path}/status`, { status: "available" }), 400, 40000)
      says(yield* bot(platform, keys, "PUT", `${path}/status`, { status: "completed" }), 409, 40002)
      says(yield* bot(platform, keys, "POST", `${path}/lease`, { fencing: "one" }), 400, 40000)
      const lost = yield* bot(platform, keys, "POST", `${path}/lease`, { fencing: 7 })
      says(lost, 409, 40002)
      assert.strictEqual(lost.body["param"], "fencing")
      says(yield* send(platform, keys, `${path}/deliverable`, [["zip_file", zipOf(good)]]), 400, 40000)
      says(yield* send(platform, keys, `${path}/deliverable`, [["result_description", " "]]), 400, 40000)
      assert.strictEqual((yield* bot(platform, keys, "POST", `${path}/release`, { fencing: 1 })).status, 200)
      says(yield* bot(platform, keys, "POST", `${path}/lease`, { fencing: 1 }), 409, 40002)
      yield* call(platform, "DELETE", `/api/tasks/${taskId}`, { token: ann.token })
      says(yield* bot(platform, keys, "POST", `${path}/grab`), 409, 40002)
    })
  )

  it.live("an agent that is not let in, or is switched off, is told which", () =>
    Effect.gen(function* () {
      const platform = yield* start({ approval: "needed" })
      const waiting = yield* register(platform)
      const pending = yield* bot(platform, waiting, "GET", "/bots/tasks/available")
      assert.deepStrictEqual([pending.status, pending.body["code"]], [403, 40103])
      const open = yield* start()
      const ann = yield* signIn(open)
      const own = yield* call(open, "POST", "/profiles/create", { token: ann.token, body: { name: "Own" } })
      const keys: Keys = own.body["data"]
      yield* call(open, "POST", `/api/agents/${keys.claw_id}/deactivate`, { token: ann.token })
      const off = yield* bot(open, keys, "GET", "/bots/tasks/available")
      assert.deepStrictEqual([off.status, off.body["code"]], [403, 40102])
    })
  )

  it.live("of fifty agents that grab at once one wins (law one-winner)", () =>
    Effect.gen(function* () {
      const { keys, platform, taskId } = yield* scene
      const more = yield* Effect.forEach(Array.from({ length: 49 }), (_, i) => register(platform, `Agent ${i}`))
      const answers = yield* Effect.forEach(
        [keys, ...more],
        (one) => bot(platform, one, "POST", `/bots/tasks/${taskId}/grab`),
        { concurrency: "unbounded" }
      )
      const codes = answers.map(({ body }) => body["code"]).sort()
      assert.deepStrictEqual(codes, [0, ...Array.from({ length: 49 }, () => 40001)])
    })
  )

  it.live("an evil archive is refused in words, and nothing of it stays", () =>
    Effect.gen(function* () {
      const data = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(`${tmpdir()}/clawfiber-market-`)),
        (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
      )
      const platform = yield* start({ data })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const taskId = yield* post(platform, token)
      yield* bot(platform, keys, "POST", `/bots/tasks/${taskId}/grab`)
      for (const [why, bytes, said] of evil) {
        const refused = yield* send(platform, keys, `/bots/tasks/${taskId}/deliverable`, [
          ["result_description", "Done."],
          ["zip_file", zipOf(bytes)]
        ])
        assert.deepStrictEqual(
          [refused.status, refused.body["code"], refused.body["param"]],
          [400, 40000, "zip_file"],
          why
        )
        assert.match(refused.body["message"], said, why)
      }
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(`${data}/artifacts`)), [])
      const fine = yield* send(platform, keys, `/bots/tasks/${taskId}/deliverable`, [
        ["result_description", "Done."],
        ["zip_file", zipOf(good)],
        ["sha256", createHash("sha256").update(good).digest("hex")]
      ])
      assert.strictEqual(fine.status, 200)
      assert.lengthOf(yield* Effect.promise(() => readdir(`${data}/artifacts`)), 1)
    })
  )

  it.live("a deliverable sent twice with one key is one; sent back, it is handed in anew", () =>
    Effect.gen(function* () {
      const { ann, keys, platform, taskId } = yield* scene
      const path = `/bots/tasks/${taskId}`
      yield* bot(platform, keys, "POST", `${path}/grab`)
      const hand = (attempt: string) =>
        send(
          platform,
          keys,
          `${path}/deliverable`,
          [
            ["result_description", "Done."],
            ["fencing", "1"],
            ["zip_file", zipOf(good)]
          ],
          attempt
        )
      const first = yield* hand("one")
      const second = yield* hand("one")
      assert.deepStrictEqual(second.body["data"], first.body["data"])
      assert.strictEqual((yield* hand("two")).body["code"], 40002)
      const returned = yield* call(platform, "POST", `/api/tasks/${taskId}/return`, {
        token: ann.token,
        body: { reason: "One space is left." }
      })
      assert.strictEqual(returned.status, 200)
      const task = yield* bot(platform, keys, "GET", path)
      assert.deepInclude(task.body["data"], {
        status: "in_progress",
        review: "returned",
        return_reason: "One space is left."
      })
      assert.strictEqual((yield* hand("two")).body["code"], 0)
    })
  )
})

describe("artifacts", () => {
  it.live("are bound to what is the agent's own, and readable by who they are for", () =>
    Effect.gen(function* () {
      const { ann, keys, platform, taskId } = yield* scene
      const other = yield* register(platform, "Other")
      const page = new Blob(["<script>alert(1)</script>"], { type: "text/html" })
      const upload = (who: Keys, fields: ReadonlyArray<readonly [string, string | Blob]>, attempt?: string) =>
        send(platform, who, "/artifact/upload-and-bind", fields, attempt)
      assert.strictEqual(
        (yield* upload(keys, [
          ["task_id", taskId],
          ["file", page]
        ])).body["code"],
        40002
      )
      yield* bot(platform, keys, "POST", `/bots/tasks/${taskId}/grab`)
      // What it belongs to may come behind the file.
      const stored = yield* upload(
        keys,
        [
          ["file", page],
          ["task_id", taskId]
        ],
        "up-1"
      )
      assert.strictEqual(stored.status, 200)
      assert.deepInclude(stored.body["data"], {
        file_name: "résumé.html",
        size: 25,
        sha256: createHash("sha256").update("<script>alert(1)</script>").digest("hex")
      })
      const again = yield* upload(
        keys,
        [
          ["file", page],
          ["task_id", taskId]
        ],
        "up-1"
      )
      assert.deepStrictEqual(again.body["data"], stored.body["data"])
      for (const [fields, status, param] of [
        [
          [
            ["file", page],
            ["task_id", "task_unknown"]
          ],
          404,
          undefined
        ],
        [
          [
            ["file", page],
            ["session_id", "session_unknown"]
          ],
          404,
          undefined
        ],
        [
          [
            ["file", page],
            ["task_id", taskId],
            ["session_id", "s"]
          ],
          400,
          "task_id"
        ],
        [
          [
            ["file", page],
            ["task_id", taskId],
            ["sha256", "0".repeat(64)]
          ],
          400,
          "sha256"
        ],
        [
          [
            ["sha256", "zz"],
            ["file", page],
            ["task_id", taskId]
          ],
          400,
          "sha256"
        ],
        [
          [
            ["file", page],
            ["task_id", taskId],
            ["fencing", "-1"]
          ],
          400,
          "fencing"
        ],
        [[["task_id", taskId]], 400, "file"]
      ] as const) {
        const refused = yield* upload(keys, fields)
        assert.deepStrictEqual([refused.status, refused.body["param"]], [status, param], JSON.stringify(fields))
      }
      assert.strictEqual(
        (yield* upload(other, [
          ["file", page],
          ["task_id", taskId]
        ])).status,
        404
      )
      const url: string = stored.body["data"]["url"]
      // Before it is handed in it is the agent's own.
      assert.strictEqual((yield* call(platform, "GET", url, { token: ann.token })).status, 404)
      yield* send(platform, keys, `/bots/tasks/${taskId}/deliverable`, [["result_description", "Done."]])
      const read = yield* call(platform, "GET", url, { token: ann.token })
      assert.strictEqual(read.status, 200)
      assert.strictEqual(read.headers.get("content-type"), "application/octet-stream")
      assert.match(read.headers.get("content-disposition") ?? "", /^attachment/)
      const sessionId = yield* openSession(platform, ann.token, keys.claw_id)
      const inChat = yield* upload(keys, [
        ["session_id", sessionId],
        ["file", page]
      ])
      assert.strictEqual((yield* call(platform, "GET", inChat.body["data"]["url"], { token: ann.token })).status, 200)
      assert.strictEqual(
        (yield* upload(other, [
          ["session_id", sessionId],
          ["file", page]
        ])).status,
        404
      )
    })
  )

  it.live("past a bound it is refused in words; broken off, nothing stays", () =>
    Effect.gen(function* () {
      const data = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(`${tmpdir()}/clawfiber-market-`)),
        (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
      )
      const platform = yield* start({ data, artifacts: { maxSize: 100_000, quota: 150_000 } })
      const keys = yield* register(platform)
      const left = Effect.promise(() => readdir(`${data}/artifacts`))
      const upload = (size: number) =>
        send(platform, keys, "/artifact/upload-and-bind", [["file", new Blob([new Uint8Array(size).fill(size)])]])
      const large = yield* upload(100_001)
      assert.deepStrictEqual([large.status, large.body["code"]], [413, 41300])
      assert.strictEqual((yield* upload(99_000)).status, 200)
      assert.strictEqual((yield* upload(60_000)).status, 413)
      const declared = yield* rawCall(
        platform,
        "/artifact/upload-and-bind",
        { ...headersOf(keys), "content-type": "multipart/form-data; boundary=b", "content-length": "10737418240" },
        "POST"
      )
      assert.strictEqual(declared.status, 413)
      // One whose sender goes away, and one whose platform does.
      const broken = yield* Effect.promise(
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(platform.port, "127.0.0.1", () => {
              socket.write(
                `POST /artifact/upload-and-bind HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: ${keys.app_key}\r\nx-api-secret: ${keys.app_secret}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 50000\r\n\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n${"x".repeat(9_000)}`
              )
              resolve(socket)
            })
            socket.on("error", () => undefined)
          })
      )
      const parts = Effect.map(left, (names) => names.filter((name) => name.endsWith(".part")).length)
      while ((yield* parts) === 0) yield* Effect.sleep("5 millis")
      yield* platform.stop
      assert.strictEqual(yield* parts, 0)
      assert.lengthOf(yield* left, 1)
      broken.destroy()
    })
  )
})

describe("people's tasks", () => {
  it.live("what cannot be posted is refused with the field; a foreign one is not there", () =>
    Effect.gen(function* () {
      const { ann, platform, taskId } = yield* scene
      const bob = yield* signIn(platform, "Bob")
      for (const [change, param] of [
        [{ bounty: "-5" }, "bounty"],
        [{ bounty: 5 }, "bounty"],
        [{ bounty: "1000000000000" }, "bounty"],
        [{ bounty: "5000" }, "bounty"],
        [{ category: "9" }, "category"],
        [{ deadline: 1 }, "deadline"],
        [{ deadline: "tomorrow" }, "deadline"],
        [{ title: "" }, "title"],
        [{ input_files: ["file_x"] }, "input_files"]
      ] as const) {
        const refused = yield* call(platform, "POST", "/api/tasks", {
          token: ann.token,
          body: { ...posting, ...change }
        })
        assert.deepStrictEqual([refused.status, refused.body["param"]], [400, param], JSON.stringify(change))
      }
      const path = `/api/tasks/${taskId}`
      for (const [method, rest, body] of [
        ["GET", "", undefined],
        ["PATCH", "", { title: "Mine" }],
        ["DELETE", "", undefined],
        ["POST", "/accept", undefined],
        ["POST", "/return", { reason: "x" }],
        ["GET", "/deliverable", undefined]
      ] as const) {
        const options = { token: bob.token, ...(body === undefined ? {} : { body }) }
        assert.strictEqual((yield* call(platform, method, path + rest, options)).status, 404, method + rest)
      }
      assert.strictEqual((yield* call(platform, "POST", `${path}/accept`, { token: ann.token })).status, 409)
      assert.strictEqual((yield* call(platform, "GET", `${path}/deliverable`, { token: ann.token })).status, 404)
      const edited = yield* call(platform, "PATCH", path, {
        token: ann.token,
        body: { bounty: "20", deadline: Date.now() + 60_000 }
      })
      assert.deepInclude(edited.body["data"], { bounty: "20", title: posting.title })
      const cleared = yield* call(platform, "PATCH", path, { token: ann.token, body: { deadline: null } })
      assert.isNull(cleared.body["data"]["deadline"])
      const headers = { "idempotency-key": "post-1" }
      const one = yield* call(platform, "POST", "/api/tasks", { token: ann.token, body: posting, headers })
      const two = yield* call(platform, "POST", "/api/tasks", { token: ann.token, body: posting, headers })
      assert.strictEqual(one.body["data"]["id"], two.body["data"]["id"])
      const mine = yield* call(platform, "GET", "/api/tasks?limit=1", { token: ann.token })
      assert.strictEqual(mine.body["data"]["items"][0]["id"], one.body["data"]["id"])
      const next = yield* call(platform, "GET", `/api/tasks?before=${mine.body["data"]["next"]}`, { token: ann.token })
      assert.deepStrictEqual(
        next.body["data"]["items"].map(({ id }: Json) => id),
        [taskId]
      )
    })
  )

  it.live("files of a task are for the agent that holds it", () =>
    Effect.gen(function* () {
      const { ann, keys, platform } = yield* scene
      const file = yield* Effect.promise(async () => {
        const form = new FormData()
        form.append("file", new Blob(["a  b"]), "input.txt")
        const headers = { authorization: `Bearer ${ann.token}` }
        const response = await fetch(`${platform.url}/api/files`, { method: "POST", headers, body: form })
        return ((await response.json()) as Json)["data"]["file_id"] as string
      })
      const taskId = yield* post(platform, ann.token, { input_files: [file] })
      const task = yield* bot(platform, keys, "GET", `/bots/tasks/${taskId}`)
      const [shown] = task.body["data"]["files"]
      assert.deepInclude(shown, { filename: "input.txt", size: 4 })
      assert.strictEqual((yield* bot(platform, keys, "GET", shown["url"])).body["code"], 40002)
      yield* bot(platform, keys, "POST", `/bots/tasks/${taskId}/grab`)
      assert.strictEqual((yield* bot(platform, keys, "GET", shown["url"])).body["text"], "a  b")
      assert.strictEqual((yield* bot(platform, keys, "GET", `/bots/tasks/${taskId}/files/x`)).body["code"], 40003)
      const other = yield* register(platform, "Other")
      assert.strictEqual((yield* bot(platform, other, "GET", shown["url"])).body["code"], 40003)
    })
  )
})
