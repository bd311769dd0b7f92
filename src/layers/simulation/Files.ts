/**
 * A file system in memory that can die: at any operation, in the middle of a write, and with it what was not synced.
 * A file's bytes are on the disk once it was synced; a name is there once its folder was.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"

interface Inode {
  bytes: string
  /** As it is on the disk. */
  synced: string
  mode: number
}

const failed = (tag: "NotFound" | "AlreadyExists" | "Unknown", method: string) =>
  PlatformError.systemError({ _tag: tag, module: "FileSystem", method, description: "simulated" })

const parent = (path: string): string => path.slice(0, path.lastIndexOf("/"))

export class SimFiles {
  #names = new Map<string, Inode>()
  /** The names that are on the disk. */
  #kept = new Map<string, Inode>()
  readonly #folders = new Set<string>()
  /** Operations until it dies; infinite = never. */
  left = Number.POSITIVE_INFINITY
  operations = 0
  /** Told when it dies: whoever kills the process here stops it at this point. */
  died: (() => void) | undefined

  /** Power is gone: names and bytes that were not synced are what they were. A torn write may have left a part. */
  powerCut(): void {
    this.left = Number.POSITIVE_INFINITY
    this.#names = new Map(this.#kept)
    for (const inode of this.#names.values()) inode.bytes = inode.synced
  }

  /** The process is gone; what it wrote is there. */
  crash(): void {
    this.left = Number.POSITIVE_INFINITY
  }

  /** What a dead process held, its successor finds to be dead: here both are one process of the real system. */
  forget(suffix: string): void {
    for (const names of [this.#names, this.#kept]) {
      for (const name of names.keys()) if (name.endsWith(suffix)) names.delete(name)
    }
  }

  /** The names in a folder. */
  list(folder: string): ReadonlyArray<string> {
    return [...this.#names.keys()]
      .filter((name) => parent(name) === folder)
      .map((name) => name.slice(folder.length + 1))
  }

  /** The paths below a folder. */
  under(folder: string): ReadonlyArray<string> {
    return [...this.#names.keys()].filter((name) => name.startsWith(`${folder}/`))
  }

  /** What is in a file, for those who look from outside. */
  text(path: string): string | undefined {
    return this.#names.get(path)?.bytes
  }

  /** Somebody else wrote the file, whole and safely. */
  put(path: string, text: string): void {
    const inode = { bytes: text, synced: text, mode: 0o600 }
    this.#names.set(path, inode)
    this.#kept.set(path, inode)
    this.#folders.add(parent(path))
  }

  read(path: string): string | undefined {
    return this.#names.get(path)?.bytes
  }

  mode(path: string): number | undefined {
    return this.#names.get(path)?.mode
  }

  #do<A>(method: string, run: () => A | PlatformError.PlatformError): Effect.Effect<A, PlatformError.PlatformError> {
    return Effect.suspend(() => {
      this.operations++
      if (--this.left < 0) {
        if (this.left === -1) this.died?.()
        return Effect.fail(failed("Unknown", method))
      }
      const result = run()
      return result instanceof PlatformError.PlatformError ? Effect.fail(result) : Effect.succeed(result)
    })
  }

  #info(path: string): FileSystem.File.Info | undefined {
    const inode = this.#names.get(path)
    if (inode === undefined && !this.#folders.has(path)) return undefined
    return {
      type: inode === undefined ? "Directory" : "File",
      mtime: Option.none(),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0n,
      ino: Option.none(),
      mode: inode?.mode ?? 0o700,
      nlink: Option.none(),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      size: ByteSize.bytes(inode?.bytes.length ?? 0),
      blksize: Option.none(),
      blocks: Option.none()
    }
  }

  /** Half of it, where the process dies in the middle. */
  #write(inode: Inode, text: string): void {
    inode.bytes = this.left === 0 ? text.slice(0, text.length / 2) : text
  }

  get service(): FileSystem.FileSystem {
    const names = () => this.#names
    return FileSystem.makeNoop({
      stat: (path) => this.#do("stat", () => this.#info(path) ?? failed("NotFound", "stat")),
      exists: (path) => this.#do("exists", () => this.#info(path) !== undefined),
      chmod: (path, mode) =>
        this.#do("chmod", () => {
          const inode = names().get(path)
          if (inode !== undefined) inode.mode = mode
        }),
      lstat: (path) => this.#do("lstat", () => this.#info(path) ?? failed("NotFound", "lstat")),
      makeDirectory: (path) =>
        this.#do("makeDirectory", () => {
          for (let folder = path; folder !== ""; folder = parent(folder)) this.#folders.add(folder)
        }),
      readDirectory: (path) =>
        this.#do("readDirectory", () =>
          [...names().keys(), ...this.#folders]
            .filter((name) => parent(name) === path && name !== path)
            .map((name) => name.slice(path.length + 1))
        ),
      readFileString: (path) => this.#do("read", () => names().get(path)?.bytes ?? failed("NotFound", "read")),
      writeFileString: (path, data, options) =>
        this.#do("write", () => {
          if (options?.flag === "wx" && names().has(path)) return failed("AlreadyExists", "write")
          const inode = names().get(path) ?? { bytes: "", synced: "", mode: options?.mode ?? 0o600 }
          names().set(path, inode)
          return this.#write(inode, data)
        }),
      link: (from, to) =>
        this.#do("link", () => {
          const inode = names().get(from)
          if (inode === undefined) return failed("NotFound", "link")
          if (names().has(to)) return failed("AlreadyExists", "link")
          return void names().set(to, inode)
        }),
      // Nobody tells: whoever waits for a change has to look.
      watch: () => Stream.never,
      rename: (from, to) =>
        this.#do("rename", () => {
          const inode = names().get(from)
          if (inode === undefined) return failed("NotFound", "rename")
          names().delete(from)
          return void names().set(to, inode)
        }),
      remove: (path, options) =>
        this.#do("remove", () => {
          let found = names().delete(path)
          if (options?.recursive === true) {
            for (const name of this.under(path)) names().delete(name)
            for (const folder of this.#folders) {
              if (folder === path || folder.startsWith(`${path}/`)) found = this.#folders.delete(folder)
            }
          }
          return found || options?.force === true ? undefined : failed("NotFound", "remove")
        }),
      open: (path, options) =>
        this.#do("open", () => {
          if (this.#folders.has(path)) return this.#file(path, undefined)
          if (options?.flag === "wx" && names().has(path)) return failed("AlreadyExists", "open")
          const inode = { bytes: "", synced: "", mode: options?.mode ?? 0o600 }
          names().set(path, inode)
          return this.#file(path, inode)
        })
    })
  }

  #file(path: string, inode: Inode | undefined): FileSystem.File {
    const unused = Effect.die(new Error("not simulated"))
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: unused,
      seek: () => unused,
      read: () => unused,
      readAlloc: () => unused,
      truncate: () => unused,
      write: () => unused,
      writeAll: (buffer) =>
        this.#do("writeAll", () => {
          if (inode !== undefined) this.#write(inode, new TextDecoder().decode(buffer))
        }),
      sync: this.#do("sync", () => {
        if (inode !== undefined) inode.synced = inode.bytes
        else this.#keep(path)
      })
    }
  }

  /** A folder was synced: its names are as they are now. */
  #keep(folder: string): void {
    for (const name of this.#kept.keys()) if (parent(name) === folder && !this.#names.has(name)) this.#kept.delete(name)
    for (const [name, inode] of this.#names) if (parent(name) === folder) this.#kept.set(name, inode)
  }
}
