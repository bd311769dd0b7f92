import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AccountFolders from "../../../../src/layers/channel/AccountFolders.ts"

describe("the accounts of a folder", () => {
  let root = ""
  beforeEach(() => {
    root = join(mkdtempSync(join(tmpdir(), "clawfiber-accounts-")), ".insta")
  })
  afterEach(() => rmSync(join(root, ".."), { recursive: true, force: true }))
  const found = () => Effect.runPromise(Effect.provide(AccountFolders.find(root), NodeFileSystem.layer))
  const folder = (name: string) => mkdirSync(join(root, name), { recursive: true })

  it("are the default one where there is nothing at all", async () => {
    assert.deepStrictEqual(await found(), ["default"])
  })
  it("are those of the folders, and the default one only where it has something to go on", async () => {
    folder("accounts/bob")
    folder("accounts/ada")
    assert.deepStrictEqual(await found(), ["ada", "bob"])
    folder("config")
    writeFileSync(join(root, "config/profile.json"), "{}")
    assert.deepStrictEqual(await found(), ["default", "ada", "bob"])
  })
  it("are no files, no hidden folders, and no second default", async () => {
    for (const name of ["default", ".hidden", "ok", "a b"]) folder(`accounts/${name}`)
    writeFileSync(join(root, "accounts/file"), "")
    assert.deepStrictEqual(await found(), ["ok"])
  })
  it("have names that lead nowhere else", () => {
    for (const name of ["..", ".", "a/b", "a\\b", "", "-x", "a".repeat(65), "dot."])
      assert.isFalse(AccountFolders.isId(name), name)
    for (const name of ["a", "Ada-2", "x.y_z"]) assert.isTrue(AccountFolders.isId(name), name)
  })
})
