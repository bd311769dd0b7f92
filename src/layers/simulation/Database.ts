/**
 * SQLite in memory that behaves like a file on a disk which fails: statements and commits that are refused (busy, full,
 * broken), a process that stops before or after any of them, and a power cut that takes with it what was not synced.
 *
 * The engine is the real one. Of what is committed a log of statements is kept; after a power cut the database is built
 * anew from the part of the log that had reached the disk.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import type { Database } from "../sql/SqliteClient.ts"
import type { Chance } from "./Chance.ts"
import type { Machine } from "./Engine.ts"

interface Written {
  readonly text: string
  readonly params: ReadonlyArray<SQLInputValue>
}

export type Refusal = "busy" | "full" | "broken"

const refusals: Record<Refusal, { readonly errcode: number; readonly text: string }> = {
  busy: { errcode: 5, text: "database is locked" },
  full: { errcode: 13, text: "database or disk is full" },
  broken: { errcode: 10, text: "disk I/O error" }
}

/** What `node:sqlite` throws. */
const refused = (kind: Refusal): Error =>
  Object.assign(new Error(refusals[kind].text), { code: "ERR_SQLITE_ERROR", errcode: refusals[kind].errcode })

/** The process that asked is gone. */
class Gone extends Error {}

const isWrite = (text: string): boolean => !/^\s*(?:SELECT|PRAGMA|EXPLAIN)\b/i.test(text)
const isBegin = (text: string): boolean => /^\s*(?:BEGIN|SAVEPOINT|ROLLBACK|RELEASE)\b/i.test(text)
const isCommit = (text: string): boolean => /^\s*COMMIT\b/i.test(text)

export interface Attempt {
  readonly text: string
  readonly write: boolean
  readonly commit: boolean
  readonly begin: boolean
}

export class SimDatabase {
  readonly #schema: string
  #live: DatabaseSync
  #log: Array<ReadonlyArray<Written>> = []
  /** How many transactions of the log are on the disk for certain. */
  #synced = 0
  #open: Array<Written> = []
  #full: boolean
  readonly #compiled = new Map<string, StatementSync>()
  #compiledFor: DatabaseSync | undefined
  /** Asked before each statement. */
  refuse: ((attempt: Attempt) => Refusal | undefined) | undefined
  /** The last attempt to write anything was refused. */
  refusedLast = false
  /** Told before and after each write or commit; whoever kills the machine here stops it at this point. */
  passing: ((when: "before" | "after", attempt: Attempt) => void) | undefined

  /** @param durability `full`: each commit waits for the disk. `normal`: the disk follows when it likes. */
  constructor(schema: string, durability: "normal" | "full") {
    this.#schema = schema
    this.#full = durability === "full"
    this.#live = this.#make()
  }

  #make(): DatabaseSync {
    const database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true })
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY")
    database.exec(this.#schema)
    return database
  }

  /** To look at it from outside, past all faults. */
  get raw(): DatabaseSync {
    return this.#live
  }

  /** All rows of all tables, as one text. */
  dump(): string {
    const tables = this.#live.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    return tables
      .map(({ name }) => JSON.stringify(this.#live.prepare(`SELECT * FROM "${String(name)}"`).all()))
      .join("\n")
  }

  /** Everything committed so far is on the disk. */
  sync(): void {
    this.#synced = this.#log.length
  }

  /** As one process sees it. */
  connect(machine: Machine): Database {
    // Of the moment of connecting: after a power cut there is another one.
    const live = this.#live
    return {
      get isTransaction() {
        return machine.alive && live.isTransaction
      },
      prepare: (text, options) => this.#prepare(machine, live, text, options)
    }
  }

  #prepare(
    machine: Machine,
    live: DatabaseSync,
    text: string,
    options: Parameters<DatabaseSync["prepare"]>[1]
  ): StatementSync {
    const statement = this.#statement(live, text, options)
    const attempt: Attempt = {
      text,
      write: isWrite(text) && !isBegin(text) && !isCommit(text),
      commit: isCommit(text),
      begin: /^\s*BEGIN\b/i.test(text)
    }
    const guarded =
      <A>(run: (...params: Array<SQLInputValue>) => A) =>
      (...params: Array<SQLInputValue>): A => {
        this.#before(machine, attempt)
        const result = run(...params)
        this.#after(machine, live, attempt, params)
        return result
      }
    // As the real one, with methods of its own: everything else stays what it is.
    return Object.assign(Object.create(statement), {
      columns: () => statement.columns(),
      all: guarded((...params) => statement.all(...params)),
      run: guarded((...params) => statement.run(...params))
    })
  }

  /** Compiled once for all processes that come and go: their successors ask for the same. */
  #statement(live: DatabaseSync, text: string, options: Parameters<DatabaseSync["prepare"]>[1]): StatementSync {
    // Another database after a power cut.
    if (this.#compiledFor !== live) {
      this.#compiled.clear()
      this.#compiledFor = live
    }
    const key = `${options?.returnArrays === true}${options?.readBigInts === true}${text}`
    let statement = this.#compiled.get(key)
    if (statement === undefined) this.#compiled.set(key, (statement = live.prepare(text, options)))
    return statement
  }

  /** Looks at it from outside, past all faults. */
  look(text: string, ...params: ReadonlyArray<SQLInputValue>): ReturnType<StatementSync["get"]> {
    return this.#statement(this.#live, text, undefined).get(...params)
  }

  /** The same, for all rows. */
  lookAll(text: string, ...params: ReadonlyArray<SQLInputValue>): ReturnType<StatementSync["all"]> {
    return this.#statement(this.#live, text, undefined).all(...params)
  }

  #before(machine: Machine, attempt: Attempt): void {
    if (!machine.alive) throw new Gone("this process is gone")
    const refusal = this.refuse?.(attempt)
    if (attempt.write || attempt.commit || attempt.begin) this.refusedLast = refusal !== undefined
    if (refusal !== undefined) throw refused(refusal)
    if (attempt.write || attempt.commit) this.passing?.("before", attempt)
    if (!machine.alive) throw new Gone("this process is gone")
  }

  #after(machine: Machine, live: DatabaseSync, attempt: Attempt, params: ReadonlyArray<SQLInputValue>): void {
    if (attempt.commit) this.#committed(this.#open)
    else if (attempt.write) {
      this.#open.push({ text: attempt.text, params })
      if (!live.isTransaction) this.#committed(this.#open)
    } else if (/^\s*ROLLBACK\s*$/i.test(attempt.text)) this.#open = []
    if (attempt.write || attempt.commit) this.passing?.("after", attempt)
    if (!machine.alive) throw new Gone("this process is gone")
  }

  #committed(written: ReadonlyArray<Written>): void {
    this.#open = []
    if (written.length === 0) return
    this.#log.push(written)
    if (this.#full) this.sync()
  }

  /** Its memory is the engine's own, which no garbage collector hurries to give back. */
  close(): void {
    this.#compiled.clear()
    this.#compiledFor = undefined
    this.#live.close()
  }

  /** The process died: what it had not committed is gone. */
  crash(): void {
    this.#open = []
    if (this.#live.isTransaction) this.#live.exec("ROLLBACK")
  }

  /** The machine died: of what was not synced some of the tail is gone as well. */
  powerCut(chance: Chance): void {
    this.crash()
    const kept = chance.int(this.#synced, this.#log.length)
    if (kept === this.#log.length) return
    this.#log = this.#log.slice(0, kept)
    this.close()
    this.#live = this.#make()
    for (const transaction of this.#log) {
      for (const { params, text } of transaction) this.#live.prepare(text).all(...params)
    }
  }
}
