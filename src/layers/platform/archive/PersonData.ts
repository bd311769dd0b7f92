/** All that a platform keeps of one person: given out as one file, or deleted. Needs the database as `SqlClient`. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as SqlClient from "effect/sql/SqlClient"
import { NotFound } from "../../../services/platform/PlatformError.ts"
import { fromHundredths } from "../../../services/protocol/Market.ts"
import * as Migrate from "../../sql/Migrate.ts"
import * as personWorlds from "../claworld/personWorlds.ts"
import * as Migrations from "../Migrations.ts"
import * as rows from "../exchangeRows.ts"
import { sanitizeFilename } from "../filenames.ts"
import * as SqlLedger from "../SqlLedger.ts"
import { toId, toNumber, toStoreError } from "../sqlStore.ts"
import * as Stores from "../Stores.ts"
import * as taskDeparture from "../taskDeparture.ts"
import { type Row as TaskRow, toTask } from "../taskRows.ts"
import * as Archive from "./Archive.ts"

export interface Person {
  readonly userId: string
  readonly name: string
  readonly createdAt: number
}

export interface Options {
  readonly folder: string
  readonly filesFolder: string
}

interface FileRow {
  readonly file_id: string
  readonly session_id: string | null
  readonly filename: string
  readonly media_type: string
  readonly size: rows.Numeric
  readonly created_at: rows.Numeric
}

interface PersonRow {
  readonly user_id: string
  readonly name: string
  /** Of those whom another issuer knows: what others see. Two may look alike, so nobody is found by it. */
  readonly display: string | null
  readonly created_at: rows.Numeric
}

const time = (milliseconds: rows.Numeric | null | undefined): string | null =>
  milliseconds === null || milliseconds === undefined ? null : new Date(toNumber(milliseconds)).toISOString()

/** By id or by name. */
export const find = Effect.fn("PersonData.find")(function* (who: string, place: string) {
  const sql = yield* SqlClient.SqlClient
  if ((yield* Migrate.current) < Migrations.newest) {
    return yield* new Archive.ArchiveError({ name: place, reason: "Older", detail: "" })
  }
  const name = toId(who.trim().normalize("NFC"))
  const [row] = yield* sql<PersonRow>`SELECT user_id, name, display, created_at FROM people
    WHERE user_id = ${toId(who)} OR name = ${name} LIMIT 1`
  if (row === undefined) return yield* new NotFound({ what: "person" })
  const person: Person = { userId: row.user_id, name: row.display ?? row.name, createdAt: toNumber(row.created_at) }
  return person
}, toStoreError)

const conversationsOf = Effect.fnUntraced(function* (userId: string) {
  const sql = yield* SqlClient.SqlClient
  const sessions = yield* sql<rows.SessionRow & { readonly agent: string }>`SELECT s.*, i.name AS agent
    FROM sessions s JOIN identities i ON i.claw_id = s.claw_id WHERE s.user_id = ${userId} ORDER BY s.created_at, s.session_id`
  return yield* Effect.forEach(sessions, (session) =>
    Effect.map(
      sql<rows.ExchangeRow>`SELECT * FROM exchanges WHERE session_id = ${session.session_id} ORDER BY ordinal`,
      (exchanges) => ({
        session_id: session.session_id,
        title: session.title,
        agent: { claw_id: session.claw_id, name: session.agent },
        created_at: time(session.created_at),
        messages: exchanges.map(rows.toExchange).map((exchange) => ({
          message_id: exchange.messageId,
          response_id: exchange.responseId,
          sent_at: time(exchange.createdAt),
          parts: exchange.parts,
          metadata: exchange.metadata,
          status: exchange.status,
          answer: exchange.replyText,
          failure: exchange.failure ?? null,
          ended_at: time(exchange.endedAt)
        }))
      })
    )
  )
})

interface EntryRow {
  readonly kind: string
  readonly amount: rows.Numeric
  readonly balance: rows.Numeric
  readonly task_id: string | null
  readonly created_at: rows.Numeric
}

interface ArtifactRow extends FileRow {
  readonly artifact_id: string
  readonly task_id: string
  readonly sha256: string
}

/** Tasks that they posted, what was handed in for them, their points. */
const marketOf = Effect.fnUntraced(function* (userId: string) {
  const sql = yield* SqlClient.SqlClient
  const posted = yield* sql<TaskRow>`SELECT * FROM tasks WHERE creator_id = ${userId} ORDER BY created_at, task_id`
  const entries = yield* sql<EntryRow>`SELECT * FROM ledger WHERE account = ${SqlLedger.ofPerson(userId)} ORDER BY seq`
  const handed = yield* sql<ArtifactRow>`SELECT a.* FROM artifacts a
    JOIN tasks t ON t.task_id = a.task_id AND t.claw_id = a.claw_id
    WHERE t.creator_id = ${userId} AND t.delivered_at IS NOT NULL ORDER BY a.created_at, a.artifact_id`
  return {
    handed,
    tasks: posted
      .map((row) => toTask(row))
      .map((task) => ({
        task_id: task.taskId,
        title: task.title,
        description: task.description,
        category: task.category,
        bounty: task.bounty,
        deadline: time(task.deadline),
        status: task.status,
        review: task.review ?? null,
        return_reason: task.returnReason ?? null,
        claw_id: task.assignedClawId ?? null,
        result: task.deliverable?.resultDescription ?? null,
        created_at: time(task.createdAt)
      })),
    ledger: entries.map(({ amount, balance, created_at, kind, task_id }) => ({
      kind,
      amount: fromHundredths(BigInt(amount)),
      balance: fromHundredths(BigInt(balance)),
      task_id,
      at: time(created_at)
    }))
  }
})

/** One file: `person.json`, and what they uploaded under `files/`. No secret is in it, not even as a hash. */
export const exportTo = Effect.fn("PersonData.exportTo")(function* (
  person: Person,
  options: Options & { readonly file: string }
) {
  const sql = yield* SqlClient.SqlClient
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const place = yield* Archive.staging(options.folder)
  const { userId } = person
  const found = yield* Effect.gen(function* () {
    const keys = yield* sql<{
      name: string
      hint: string
      created_at: rows.Numeric
      last_used_at: rows.Numeric | null
    }>`
      SELECT name, hint, created_at, last_used_at FROM api_keys WHERE user_id = ${userId} ORDER BY created_at, key_id`
    const agents = yield* sql<{ claw_id: string; name: string }>`
      SELECT claw_id, name FROM identities WHERE owner_id = ${userId} ORDER BY created_at, claw_id`
    const files = yield* sql<FileRow>`SELECT * FROM files WHERE user_id = ${userId} ORDER BY created_at, file_id`
    return {
      keys,
      agents,
      files,
      conversations: yield* conversationsOf(userId),
      market: yield* marketOf(userId),
      claworld: yield* personWorlds.collect(userId)
    }
  }).pipe(sql.withTransaction, toStoreError)

  const said = Effect.mapError(Archive.fromPlatformError(options.file))
  yield* said(fs.makeDirectory(path.join(place, "files")))
  /** Beside the data, under a name that says what it is; null where its bytes are gone. */
  const take = Effect.fnUntraced(function* (id: string, file: FileRow, from: string) {
    const name = `files/${id}-${sanitizeFilename(file.filename)}`
    const there = yield* fs.exists(from)
    if (there) yield* fs.copyFile(from, path.join(place, name))
    return there ? name : null
  })
  const files = yield* Effect.forEach(found.files, (file) =>
    Effect.gen(function* () {
      return {
        file_id: file.file_id,
        filename: file.filename,
        media_type: file.media_type,
        size: toNumber(file.size),
        session_id: file.session_id,
        created_at: time(file.created_at),
        path: yield* take(file.file_id, file, path.join(options.filesFolder, file.file_id))
      }
    }).pipe(said)
  )
  const artifacts = Stores.artifactsOf(path, options.folder)
  const handedIn = yield* Effect.forEach(found.market.handed, (file) =>
    Effect.gen(function* () {
      return {
        artifact_id: file.artifact_id,
        task_id: file.task_id,
        filename: file.filename,
        size: toNumber(file.size),
        created_at: time(file.created_at),
        path: yield* take(file.artifact_id, file, path.join(artifacts, file.sha256))
      }
    }).pipe(said)
  )
  const data = {
    person: { user_id: userId, name: person.name, created_at: time(person.createdAt) },
    keys: found.keys.map((key) => ({
      name: key.name,
      begins_with: key.hint,
      created_at: time(key.created_at),
      last_used_at: time(key.last_used_at)
    })),
    agents: found.agents,
    conversations: found.conversations,
    files,
    tasks: found.market.tasks,
    handed_in: handedIn,
    points: found.market.ledger,
    claworld_agents: found.claworld
  }
  yield* said(fs.writeFileString(path.join(place, "person.json"), `${JSON.stringify(data, null, 2)}\n`))
  yield* Archive.pack(place, ["person.json", "files"], options.file)
  return {
    conversations: data.conversations.length,
    messages: data.conversations.reduce((sum, conversation) => sum + conversation.messages.length, 0),
    files: files.length,
    tasks: data.tasks.length
  }
}, Effect.scoped)

/**
 * Conversations, files, tasks, keys, tickets, activations, agents of Claworld and the person: in one transaction, then
 * the bytes. Other agents of theirs stay, without owner.
 */
export const remove = Effect.fn("PersonData.remove")(function* ({ userId }: Person, options: Options) {
  const sql = yield* SqlClient.SqlClient
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { files, gone, unnamed } = yield* Effect.gen(function* () {
    // First, so that nobody signs in by it any more while the rest goes.
    yield* sql`DELETE FROM people WHERE user_id = ${userId}`
    const { tasks, unnamed } = yield* taskDeparture.leave(userId)
    yield* personWorlds.leave(userId)
    yield* sql`DELETE FROM api_keys WHERE user_id = ${userId}`
    yield* sql`DELETE FROM tickets WHERE user_id = ${userId}`
    yield* sql`DELETE FROM activations WHERE user_id = ${userId}`
    yield* sql`UPDATE identities SET owner_id = NULL WHERE owner_id = ${userId}`
    const messages = yield* sql`DELETE FROM exchanges WHERE user_id = ${userId} RETURNING ordinal`
    const sessions = yield* sql`DELETE FROM sessions WHERE user_id = ${userId} RETURNING session_id`
    const files = yield* sql<{ file_id: string }>`DELETE FROM files WHERE user_id = ${userId} RETURNING file_id`
    const gone = { conversations: sessions.length, messages: messages.length, files: files.length, tasks }
    return { files, gone, unnamed }
  }).pipe(sql.withTransaction, toStoreError, Effect.provide(SecureRandom.layerWebCrypto))
  const artifacts = Stores.artifactsOf(path, options.folder)
  const places = [
    ...files.map(({ file_id }) => path.join(options.filesFolder, file_id)),
    ...unnamed.map((sha256) => path.join(artifacts, sha256))
  ]
  yield* Effect.forEach(
    places,
    (place) => Effect.mapError(fs.remove(place, { force: true }), Archive.fromPlatformError(options.filesFolder)),
    { discard: true }
  )
  return gone
})
