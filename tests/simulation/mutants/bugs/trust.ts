/** Bugs in what is trusted to it: the laws secret, confined and whole-file. */
import type { Mutant } from "../jobs.ts"

const channel = "src/layers/channel"
const platform = "src/layers/platform"

export const trust: ReadonlyArray<Mutant> = [
  {
    name: "write the profile in place",
    law: "whole-file",
    patches: [
      {
        file: `${channel}/profileFiles.ts`,
        find: "const temporary = `${path}.${process.pid}.tmp`",
        replace: "const temporary = path"
      },
      {
        file: `${channel}/profileFiles.ts`,
        find: "      sweep(folder, name).pipe(",
        replace: "      Effect.andThen(sweep(folder, name), fs.remove(path, { force: true })).pipe("
      }
    ]
  },
  {
    name: "rename before the bytes are on the disk",
    law: "whole-file",
    profile: "power",
    patches: [
      {
        file: `${channel}/profileFiles.ts`,
        find: "        yield* file.sync\n",
        replace: ""
      }
    ]
  },
  {
    name: "log a dial with its headers",
    law: "secret",
    profile: "hostile",
    patches: [
      {
        file: `${channel}/Supervisor.ts`,
        find: "  link.socket = line.driver.dial(",
        replace: '  yield* Effect.logDebug("dials", request)\n  link.socket = line.driver.dial('
      }
    ]
  },
  {
    name: "say why an agent failed, insides and all",
    law: "secret",
    patches: [
      {
        file: "src/services/channel/AgentRuntime.ts",
        find: 'return "The model cannot be reached just now. Try again in a moment."',
        replace: "return `The model cannot be reached just now: ${reason.detail}`"
      }
    ]
  },
  {
    name: "repeat a wrong secret in the refusal",
    law: "secret",
    patches: [
      {
        file: `${platform}/SqlIdentities.ts`,
        find: "!isGood) return yield* unknownKey",
        replace: "!isGood) return yield* new Unauthorized({ detail: `There is no agent with the secret ${secret}.` })"
      }
    ]
  },
  {
    name: "keep secrets as they are",
    law: "secret",
    patches: [
      {
        file: `${platform}/secrets.ts`,
        find: 'export const hash = (secret: string): string => createHash("sha256").update(secret).digest("hex")',
        replace:
          'export const hash = (secret: string): string => (secret === "" ? createHash("sha256").digest("hex") : secret)'
      }
    ]
  },
  {
    name: "log the address with its ticket",
    law: "secret",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/ChatSocket.ts`,
        find: "    const query = new URLSearchParams(",
        replace: "    yield* Effect.logDebug(request.url)\n    const query = new URLSearchParams("
      }
    ]
  },
  {
    name: "tell what is in a damaged profile",
    law: "secret",
    patches: [
      {
        file: `${channel}/ProfileCodec.ts`,
        find: "Result.mapError(decodeProfile(record), faultyFields)",
        replace:
          "Result.mapError(decodeProfile(record), (error) => `${faultyFields(error)}: ${JSON.stringify(record)}`)"
      }
    ]
  },
  {
    name: "tell a parser's own words",
    law: "secret",
    patches: [
      {
        file: `${channel}/ProfileCodec.ts`,
        find: 'catch: () => "it is not whole JSON (cut off, or not JSON at all)"',
        replace: "catch: (cause) => String(cause)"
      }
    ]
  },
  {
    name: "take the prompt from the message",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${channel}/chatTurn.ts`,
        find: "systemPrompt: options.systemPrompt",
        replace: 'systemPrompt: request.metadata["system_prompt"] ?? options.systemPrompt'
      }
    ]
  },
  {
    name: "open the tools that a message asks for",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${channel}/chatTurn.ts`,
        find: "toolbox: Toolbox.empty",
        replace:
          'toolbox: {\n    ...Toolbox.empty,\n    tools: request.metadata["tools"] === undefined ? [] : [{ name: "shell", description: "", parameters: {} }]\n  }'
      }
    ]
  },
  {
    name: "let a name break out of its quotes",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${channel}/chatTurn.ts`,
        find: "  JSON.stringify(\n    (value",
        replace: '  ((text: string) => `"${text}"`)(\n    (value'
      }
    ]
  },
  {
    name: "one memory for all who write",
    law: "confined",
    patches: [
      {
        file: `${channel}/chatTurn.ts`,
        find: '${sessionId ?? "default"}',
        replace: "default"
      }
    ]
  },
  {
    name: "anybody may stop a reply",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/LiveBroker.ts`,
        find: '    if (exchange.userId !== userId) return yield* new NotFound({ what: "reply" })\n',
        replace: ""
      }
    ]
  },
  {
    name: "anybody may read a reply",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/PersonSocket.ts`,
        find: "if (live !== undefined && live.exchange.userId === person.userId) {",
        replace: "if (live !== undefined) {"
      }
    ]
  },
  {
    name: "anybody may write into a session",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/SqlSessions.ts`,
        find: "      WHERE session_id = ${toId(sessionId)} AND user_id = ${toId(userId)}`",
        replace: "      WHERE session_id = ${toId(sessionId)} AND user_id <> ${toId(userId + sessionId)}`"
      },
      {
        file: `${platform}/SqlSessions.ts`,
        find: "FROM sessions s WHERE s.session_id = ${toId(input.sessionId)} AND s.user_id = ${toId(input.userId)}`",
        replace: "FROM sessions s WHERE s.session_id = ${toId(input.sessionId)}`"
      }
    ]
  },
  {
    name: "any agent may bind any session",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/SqlSessions.ts`,
        find: "WHERE session_id = ${toId(sessionId)} AND claw_id = ${toId(clawId)}`\n    return row === undefined ? yield* noSession",
        replace:
          "WHERE session_id = ${toId(sessionId)} AND claw_id <> ${toId(clawId + sessionId)}`\n    return row === undefined ? yield* noSession"
      }
    ]
  },
  {
    name: "any agent may answer any message",
    law: "confined",
    profile: "hostile",
    patches: [
      {
        file: `${platform}/agentSeats.ts`,
        find: "    const found = AgentDesk.find(desk, received.ref)\n    if (typeof",
        replace:
          '    const found = underWay.get(received.ref.responseId ?? "")?.reply ?? AgentDesk.find(desk, received.ref)\n    if (typeof'
      }
    ]
  },
  {
    name: "a profile that everybody may read",
    law: "whole-file",
    patches: [
      {
        file: `${channel}/profileFiles.ts`,
        find: 'fs.open(temporary, { flag: "wx", mode: 0o600 })',
        replace: 'fs.open(temporary, { flag: "wx", mode: 0o644 })'
      }
    ]
  },
  {
    name: "say saved before the folder is on the disk",
    law: "whole-file",
    profile: "power",
    patches: [
      {
        file: `${channel}/profileFiles.ts`,
        find: ",\n        Effect.andThen(sync(folder))\n",
        replace: "\n"
      }
    ]
  },
  {
    name: "trip over what a dead writer left",
    law: "whole-file",
    profile: "crash",
    patches: [
      {
        file: `${channel}/profileFiles.ts`,
        find: "      sweep(folder, name).pipe(\n        Effect.andThen(written),",
        replace: "      written.pipe("
      }
    ]
  },
  {
    name: "refuse a key of a newer version",
    law: "whole-file",
    complaint: 10,
    patches: [
      {
        file: `${channel}/ProfileCodec.ts`,
        find: 'Schema.decodeUnknownResult(Schema.Struct(known), { errors: "all" })',
        replace: 'Schema.decodeUnknownResult(Schema.Struct(known), { errors: "all", onExcessProperty: "error" })'
      }
    ]
  },
  {
    name: "lose a key of a newer version",
    law: "whole-file",
    complaint: 10,
    patches: [
      {
        file: `${channel}/ProfileCodec.ts`,
        find: "      ...profile.extra\n",
        replace: ""
      }
    ]
  },
  {
    name: "refuse an activation of a newer version",
    law: "whole-file",
    complaint: 10,
    patches: [
      {
        file: `${channel}/ProfileCodec.ts`,
        find: "Schema.decodeUnknownResult(Schema.Struct({ session_token: Schema.NonEmptyString }))",
        replace:
          'Schema.decodeUnknownResult(Schema.Struct({ session_token: Schema.NonEmptyString }), {\n  onExcessProperty: "error"\n})'
      }
    ]
  }
]
