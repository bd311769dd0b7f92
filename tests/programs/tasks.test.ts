/** The market on the command line from both sides: real programs, the real platform, one task's whole way. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"
import * as table from "../../src/programs/run/table.ts"
import * as strangers from "../../src/services/protocol/StrangersWords.ts"
import { folder, run, serve, type Served } from "./cli.ts"

describe("tasks", () => {
  const agent = folder()
  const person = folder()
  const home = folder()
  let up: Served
  let url: string
  const environment = { OPENAI_API_KEY: "" }
  const asAgent = (...args: ReadonlyArray<string>) => run(["tasks", ...args], { cwd: agent.path, env: environment })
  const asPerson = (args: ReadonlyArray<string>, input?: string) =>
    run(["tasks", ...args], { cwd: person.path, env: environment, ...(input === undefined ? {} : { input }) })
  const json = (ended: { readonly code: number | null; readonly stdout: string; readonly stderr: string }) => {
    assert.strictEqual(ended.code, 0, ended.stderr)
    return JSON.parse(ended.stdout)
  }
  const post = async (title: string, ...more: ReadonlyArray<string>): Promise<string> =>
    json(
      await asPerson([
        "post",
        `--title=${title}`,
        "--description=Do it.",
        "--category=07001",
        "--bounty=12.5",
        ...more,
        "--json"
      ])
    ).task.id

  beforeAll(async () => {
    up = await serve(["up", "--port", "0", "--agent", "none"], { cwd: home.path })
    url = String(up.event["url"])
    const [registered, signedIn] = await Promise.all([
      run(["register", "--url", url, "--name", "Worker", "--description", "Works.", "--yes"], {
        cwd: agent.path,
        env: environment
      }),
      run(["sign-in", "--url", url, "--name", "Poster"], { cwd: person.path, env: environment })
    ])
    assert.strictEqual(registered.code, 0, registered.stderr)
    assert.strictEqual(signedIn.code, 0, signedIn.stderr)
  })
  afterAll(async () => {
    await up.stop("SIGKILL")
    for (const one of [agent, person, home]) one.remove()
  })

  it("goes the whole way: posted with a file, listed, grabbed, handed in, looked at, fetched, accepted, paid", async () => {
    writeFileSync(`${person.path}/input.csv`, "a,b\n1,2\n")
    const posted = json(
      await asPerson(
        [
          "post",
          "--title=整理这张表 📊",
          "--description=-",
          "--category=02002",
          "--bounty=20",
          "--deadline=3d",
          "--file=input.csv",
          "--json"
        ],
        "Sum it up.\nIn words."
      )
    )
    const id: string = posted.task.id
    assert.deepInclude(posted.task, { description: "Sum it up.\nIn words.", bounty: "20", status: "available" })
    assert.isAbove(posted.task.deadline, Date.now() + 2.9 * 86_400_000)

    const page = json(await asAgent("list", "--category", "02002", "--json"))
    assert.deepInclude(page, { page: 1, total: 1 })
    assert.deepInclude(page.tasks[0], { id, title: "整理这张表 📊" })
    const listed = await asAgent("list")
    assert.match(listed.stdout, /^TASK +TITLE +CATEGORY +POINTS +DEADLINE\n/)
    assert.include(listed.stdout, id)

    const grabbed = json(await asAgent("grab", id, "--json"))
    assert.strictEqual(readFileSync(`${agent.path}/${grabbed.input_files[0]}`, "utf8"), "a,b\n1,2\n")
    assert.isAbove(grabbed.until, Date.now())
    // Law once: the same again is the same grab.
    assert.strictEqual(json(await asAgent("grab", id, "--json")).task.id, id)

    mkdirSync(`${agent.path}/out`)
    writeFileSync(`${agent.path}/out/sum.md`, "Three.")
    const handed = json(await asAgent("submit", id, "--description", "Summed up.", "--json", "out/sum.md"))
    assert.deepInclude(handed, { event: "submitted", task_id: id, files: ["output/out/sum.md"] })
    assert.deepStrictEqual(readdirSync(`${agent.path}/.insta/grabs`), [])

    const shown = await asPerson(["show", id])
    assert.match(shown.stdout, /to look at · 20 points/)
    assert.match(shown.stdout, /\| Summed up\./)
    assert.match(shown.stdout, /in it: output\/out\/sum\.md \(6 B\)/)

    const fetched = json(await asPerson(["download", id, "--to", "got", "--json"]))
    assert.match(fetched.files[0].path, /\/got\/delivery_.*\.zip$/)
    assert.strictEqual(readFileSync(fetched.files[0].path).subarray(0, 2).toString(), "PK")
    const again = await asPerson(["download", id, "--to", "got"])
    assert.strictEqual(again.code, 1)
    assert.match(again.stderr, /already\. Nothing was fetched\..*--overwrite/)
    assert.strictEqual((await asPerson(["download", id, "--to", "got", "--overwrite"])).code, 0)
    assert.lengthOf(readdirSync(`${person.path}/got`), 1)

    assert.deepInclude(json(await asPerson(["return", id, "--reason", "Shorter.", "--json"])).task, {
      review: "returned",
      return_reason: "Shorter."
    })
    assert.strictEqual((await asAgent("submit", id, "--description", "Shorter now.")).code, 0)
    assert.deepInclude(json(await asPerson(["accept", id, "--json"])).task, { review: "accepted" })
    const twice = await asPerson(["accept", id])
    assert.strictEqual(twice.code, 1)
    assert.match(twice.stderr, /accepted/)
    const points = json(await asPerson(["points", "--json"]))
    assert.strictEqual(points.balance, "980")
    assert.deepStrictEqual(
      points.entries.map(({ kind }: { readonly kind: string }) => kind),
      ["reserve", "grant"]
    )
    assert.match((await asPerson(["points"])).stdout, /^You have 980 points\.\nWHEN +WHAT/)
  })

  it("edits, withdraws and lists what one posted", async () => {
    const id = await post("First words", "--deadline", "2d")
    const edited = json(
      await asPerson(["edit", id, "--title", "Other words", "--bounty", "7", "--deadline", "none", "--json"])
    )
    assert.deepInclude(edited.task, { title: "Other words", bounty: "7", deadline: null })
    assert.match((await asPerson(["edit", id])).stderr, /Say what is to be changed/)
    assert.match((await asPerson(["mine"])).stdout, new RegExp(`${id} +Other words +open +7 +-`))
    const first = json(await asPerson(["mine", "--limit", "1", "--json"]))
    assert.lengthOf(first.tasks, 1)
    assert.isString(first.next)
    assert.deepInclude(json(await asPerson(["withdraw", id, "--json"])).task, { status: "cancelled" })
    const late = await asPerson(["edit", id, "--bounty", "9"])
    assert.strictEqual(late.code, 1)
    assert.notMatch(late.stderr, /fault of its own|undefined|at \w+ \(/)
  })

  it("gives back what was grabbed, and says who is too late", async () => {
    const id = await post("To give back")
    assert.match((await asAgent("release", id)).stderr, /has not grabbed/)
    assert.strictEqual((await asAgent("grab", id)).code, 0)
    assert.strictEqual((await asAgent("release", id)).code, 0)
    assert.deepInclude(json(await asAgent("show", id, "--json")).task, { status: "available" })
    await asPerson(["withdraw", id])
    const late = await asAgent("grab", id)
    assert.strictEqual(late.code, 1)
    assert.match(late.stderr, /not available|no task/)
    assert.isFalse(existsSync(`${agent.path}/.insta/grabs/${id}.json`))
  })

  it("answers what is wrong in one sentence, and does nothing", async () => {
    const before = json(await asPerson(["mine", "--json"])).tasks.length
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["--category", "text"], /category/],
      [["--bounty", "-5"], /bounty/],
      [["--bounty", "100000000.01"], /bounty|points/i],
      [["--deadline", "yesterday"], /--deadline yesterday is no time/],
      [["--deadline", "2001-01-01"], /deadline|past/i],
      [["--file", "nowhere.txt"], /nowhere\.txt cannot be sent: it is not there\. Nothing was posted/],
      [["--title", " "], /title/i]
    ]
    const base: Record<string, string> = {
      "--title": "T",
      "--description": "D",
      "--category": "07001",
      "--bounty": "1"
    }
    const ended = await Promise.all(
      cases.map(([given]) => {
        const flags = { ...base, [given[0] ?? ""]: given[1] ?? "" }
        return asPerson(["post", ...Object.entries(flags).map(([name, value]) => `${name}=${value}`)])
      })
    )
    for (const [at, one] of ended.entries()) {
      assert.strictEqual(one.code, 1, cases[at]?.[0].join(" "))
      assert.match(one.stderr, cases[at]?.[1] ?? /./)
      assert.strictEqual(one.stdout, "")
    }
    assert.lengthOf(json(await asPerson(["mine", "--json"])).tasks, before)
  }, 30_000)

  it("says where nobody is registered or signed in, and where no platform answers", async () => {
    const none = await asPerson(["list"])
    assert.match(none.stderr, /clawfiber register.*clawfiber tasks mine/)
    const nobody = await asAgent("mine", "--url", url)
    assert.match(nobody.stderr, /clawfiber sign-in --url/)
    const gone = await run(["tasks", "mine", "--url", "http://127.0.0.1:9"], {
      cwd: agent.path,
      env: { CLAWFIBER_TOKEN: "abc" }
    })
    assert.strictEqual(gone.code, 1)
    assert.match(gone.stderr, /No platform answers at http:\/\/127\.0\.0\.1:9/)
    const unknown = await asPerson(["show", "task_none"])
    assert.strictEqual(unknown.code, 1)
    const climbing = await asAgent("grab", "../../x")
    assert.match(climbing.stderr, /There is no task/)
  })
})

describe("a table", () => {
  it("counts columns as terminals do, and cuts the column that gives way", () => {
    assert.strictEqual(table.width("整理 a📊"), 8)
    assert.strictEqual(table.width("e\u0301"), 1)
    assert.strictEqual(table.fit("整理这张表", 6), "整理…")
    assert.strictEqual(strangers.line("a\u001b[31m\n\u202Eb", 10), "a[31m b")
    const text = table.write({
      head: ["ID", "TITLE", "POINTS"],
      rows: [
        ["1", "整理这张表格和数据", "5"],
        ["2", "Short", "12.5"]
      ],
      gives: 1,
      columns: 24
    })
    const lines = text.split("\n")
    assert.isTrue(lines.every((line) => table.width(line) <= 24))
    const at = lines.map((line) => table.width(/^(.*?)(?:POINTS|5$|12\.5)/.exec(line)?.[1] ?? ""))
    assert.deepStrictEqual(new Set(at).size, 1)
  })
})
