/**
 * The platform's sentences in the page's language. The two are kept together here: what the sources say must be in the
 * tables, and what is in the tables must still be said.
 */
import { assert, describe, it } from "@effect/vitest"
import { begun, sentences } from "../../src/ui/i18n/platform.ts"
import * as agents from "../../src/ui/i18n/sentences/agents.ts"
import * as chat from "../../src/ui/i18n/sentences/chat.ts"
import * as market from "../../src/ui/i18n/sentences/market.ts"
import { phrases } from "../../src/ui/i18n/sentences/phrases.ts"
import * as program from "../../src/ui/i18n/sentences/program.ts"
import * as worlds from "../../src/ui/i18n/sentences/worlds.ts"
import { filesIn, isSentence, textsOf } from "./sourceSentences.ts"

const shapeOf = (template: string) => template.replaceAll(/\{\{[#>]?\w+\}\}/g, "{{}}")

const tables: ReadonlyArray<Readonly<Record<string, string>>> = [
  ...[agents, chat, market, program, worlds].flatMap((module) => Object.values(module)),
  ...Object.values(phrases)
]
const templates = tables.flatMap((table) => Object.keys(table))

/** Put together from what stands in several places: the constructors below say them. */
const composed = new Set([
  "There is no such {{>thing}}, or it is not yours. {{>hint}}",
  "{{>outcome}} {{field}}: {{>fault}} There are {{#more}} more; fieldErrors names all.",
  "{{>outcome}} {{field}}: {{>fault}}",
  "The agent's reply ended before it was whole.",
  "The agent's reply ended before it was whole ({{code}}).",
  "I cannot read the attached file ({{type}}). Send text, or a picture as PNG, JPEG, GIF or WebP.",
  "I cannot read {{name}} ({{type}}). Send text, or a picture as PNG, JPEG, GIF or WebP."
])

const platform = (...files: ReadonlyArray<string>) => files.map((name) => `src/layers/platform/${name}.ts`)
const channel = (...files: ReadonlyArray<string>) => files.map((name) => `src/layers/channel/${name}.ts`)
const services = (...files: ReadonlyArray<string>) => files.map((name) => `src/services/${name}.ts`)

/** Where what a person at the page may read is written. */
const modules: ReadonlyArray<string> = [
  "src/layers/http/HttpGuards.ts",
  "src/programs/openclaw/page.ts",
  ...platform(
    "ApiAgents",
    "ApiFiles",
    "ApiHandlers",
    "ApiIdentity",
    "FrontDoor",
    "JwksIssuer",
    "Limits",
    "LiveReply",
    "Mailbox",
    "MarketHandlers",
    "PersonSocket",
    "SocketPeer",
    "SocketRoom",
    "SqlActivations",
    "SqlFiles",
    "SqlIdentities",
    "SqlPeople",
    "SqlSessions",
    "agentKeys",
    "agentSeats",
    "interruptions",
    "names",
    "profiles",
    "sqlStore",
    "taskPosts",
    "taskRows",
    "tokens",
    "claworld/InputReader",
    "claworld/SqlWorldCatalog",
    "claworld/WorldHandlers",
    "claworld/agentRows",
    "claworld/candidateFeed",
    "claworld/refusals",
    "claworld/talkChecks",
    "claworld/talkHandlers",
    "claworld/talkPolicy",
    "claworld/talkRefusals",
    "claworld/worldAnswers",
    "claworld/worldEntry",
    "claworld/worldInput",
    "claworld/worldMakers"
  ),
  ...channel(
    "ControlDesk",
    "ControlGuards",
    "ControlRoutes",
    "LiveWorker",
    "Methods",
    "Proposing",
    "WorkRunner",
    "replyFailures"
  ),
  ...services(
    "channel/Accounts",
    "channel/AgentRuntime",
    "channel/Connection",
    "channel/ProfileApi",
    "channel/ProfileStore",
    "channel/Registrar",
    "channel/Registration",
    "channel/TaskApi",
    "platform/PlatformError",
    "protocol/EntryProfile",
    "protocol/ProfileFields"
  )
]

/** Written there, and yet never read at the page. */
const elsewhere: Readonly<Record<string, ReadonlyArray<string>>> = {
  "goes to agents": [
    "A newer connection of this agent has taken over. Only that one may answer.",
    "An idempotency key has 16 to 200 visible characters: whoever guesses it would get the agent's secret. Take a fresh random one, such as a UUID.",
    "An idempotency key has 1 to 200 visible characters, such as a UUID.",
    "Deliveries are answered by the agent itself: use its app token.",
    "There is no such delivery for this agent.",
    "This agent gave feedback {{}} times within a day, which is the limit. What was given is kept; wait until tomorrow.",
    "This delivery is closed: it was answered otherwise, its time has passed, or the talk is over. Nothing is to be done about it.",
    "This delivery only says something; nobody waits for an answer. Confirm it with accepted or kept_silent.",
    "What an agent says in one turn has at most {{}} characters. This was longer and was not passed on; say it in fewer.",
    "An earlier round had answered {{}} ({{}}), and this one did not send it back, so it is lost. Send the last profileDraft again, with the new answers in profileUpdate; or send all of it as profileSnapshot if it is meant to be left out.",
    "Ask for nextFields; then call join_world with this profileDraft and the new answers in profileUpdate.",
    "Still needed: {{}}."
  ],
  "goes with what went well": [
    "Accepted, and the bounty is paid.",
    "Keep app_secret: it is shown this once.",
    "Keep the key: it is shown this once.",
    "Keep the token until the agent is registered: it is shown this once.",
    "Sent back: the agent has it again, with your reason.",
    "The agent is registered, and switched off.",
    "The agent is registered, and waits until whoever runs this platform approves it; it cannot connect before.",
    "The agent is registered.",
    "The agent is switched off. Messages to it wait.",
    "The task is off the market, and its bounty is yours again.",
    "The task is on the market, and its bounty is put aside.",
    "This registration went through before; it is the same agent.",
    "{{}} Keep app_secret: it is shown this once."
  ],
  "is said of a world, which keeps it": [
    "Agents that belong to a person of this platform may enter.",
    "Every agent of this platform may enter.",
    "Its admins may send something to all members at once.",
    "Nothing is sent to all members at once."
  ],
  "answers frames that the page does not send": [
    "This platform knows no frame of that type.",
    "metadata.message_id is longer than {{}} characters."
  ],
  "has words of its own in both languages at the page": [
    "It is not on the market any more.",
    "Its operator said no.",
    "Its operator stopped the work on it.",
    "The agent made nothing.",
    "The agent took too long.",
    "The lease ran out before it was handed in."
  ],
  "is read by the one who starts the program": [
    "The keys of the issuer cannot be fetched from {{}}: it is no https address (http only on this machine). Set CLAWFIBER_ISSUER_JWKS_URL to where the issuer shows its keys."
  ],
  "names accounts or methods, which the page does itself": [
    "There is no account {{}}. Name one of: {{}}.",
    "There is no such method. There are: {{}}."
  ],
  "is written into the log of a task": ["output/{{}} was not uploaded by itself (it is in the archive): {{}}."],
  "names a part of several": [" There are {{}} more; fieldErrors names all."]
}
const isElsewhere = new Set(Object.values(elsewhere).flat())

/** Of answers: each with the world's label before it, without a full stop. */
const answers = new Set(Object.keys(worlds.answers).map(shapeOf))

describe("the tables of the platform's sentences", () => {
  it("say in Chinese what they say in English, with the same values, each once", () => {
    for (const [english, said] of [...sentences, ...begun]) {
      const holes = [...english.matchAll(/\{\{[#>]?(\w+)\}\}/g)].map(([, name]) => name)
      assert.strictEqual(new Set(holes).size, holes.length, english)
      assert.deepStrictEqual([...said.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort(), holes.sort(), english)
      assert.match(said, /\p{Script=Han}/u, english)
      // Full-width marks in Chinese: none of the narrow ones stands beside a Chinese letter.
      assert.notMatch(said, /\p{Script=Han}[,;:!?]|\p{Script=Han}\.(?!\w)|[,;!?](?=\p{Script=Han})/u, english)
    }
  })

  it("hold nothing for anybody's sentence that begins with a text of somebody's", () => {
    const loose = sentences.filter(([english]) => /^\{\{(?!#)/.test(english)).map(([english]) => english)
    assert.deepStrictEqual(loose, [])
  })

  it("hold nothing twice in two ways", () => {
    const seen = new Map<string, string>()
    for (const [english, said] of [...sentences, ...begun]) {
      assert.strictEqual(seen.get(english) ?? said, said, english)
      seen.set(english, said)
    }
  })

  it("hold nothing that is no longer said", () => {
    const said = new Set(["src/layers", "src/programs", "src/services"].flatMap(filesIn).flatMap(textsOf))
    const stale = templates.filter((template) => !composed.has(template) && !said.has(shapeOf(template)))
    assert.deepStrictEqual(stale, [])
  })

  it("hold every sentence of the modules that a person at the page reads", () => {
    const known = new Set(templates.map(shapeOf))
    const written = new Set<string>()
    const missing = modules.flatMap((path) =>
      textsOf(path)
        .filter(isSentence)
        .flatMap((text) => {
          written.add(text)
          return known.has(text) || isElsewhere.has(text) || answers.has(text.replace(/\.$/, ""))
            ? []
            : [`${path}: ${text}`]
        })
    )
    assert.deepStrictEqual(missing, [])
    assert.deepStrictEqual(
      [...isElsewhere].filter((text) => !written.has(text)),
      [],
      "no longer written"
    )
    assert.deepStrictEqual(
      [...isElsewhere].filter((text) => known.has(text)),
      [],
      "in the tables after all"
    )
  })
})
