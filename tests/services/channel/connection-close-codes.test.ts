import { assert, describe, it } from "@effect/vitest"
import * as CloseCodes from "../../../src/services/channel/CloseCodes.ts"

const transient = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 1014, 1015, 4002, 4003]

describe("close codes", () => {
  it.each(transient)("%i connects again", (code) => {
    const error = CloseCodes.errorOfClose(code)
    assert.isTrue(error.transient)
    assert.deepInclude(error.reason, { _tag: "Unreachable", code })
  })

  it("1008 is a refused key and needs a person", () => {
    const error = CloseCodes.errorOfClose(1008)
    assert.isFalse(error.transient)
    assert.deepInclude(error.reason, { _tag: "CredentialsRefused", code: 1008 })
  })

  it("4001 is a connection replaced by another and needs a person", () => {
    const error = CloseCodes.errorOfClose(4001)
    assert.isFalse(error.transient)
    assert.strictEqual(error.reason._tag, "Replaced")
  })

  it.each([1010, 3000, 4000, 4004, 4999])("%i has no row and connects again", (code) => {
    assert.isUndefined(CloseCodes.closeCodes.find((row) => row.code === code))
    const error = CloseCodes.errorOfClose(code)
    assert.isTrue(error.transient)
    assert.include(error.message, String(code))
  })

  it("has one row for each code, and the rows tested here are all there are", () => {
    const codes = CloseCodes.closeCodes.map((row) => row.code)
    assert.deepStrictEqual(
      codes,
      [...transient, 1008, 4001].toSorted((a, b) => a - b)
    )
  })
})

describe("refused upgrades", () => {
  it.each([401, 403])("%i is a refused key and needs a person", (status) => {
    const error = CloseCodes.errorOfStatus(status)
    assert.isFalse(error.transient)
    assert.deepInclude(error.reason, { _tag: "CredentialsRefused", code: status })
  })

  it.each([404, 408, 426, 429, 500, 502, 503, 504])("%i connects again and names the status", (status) => {
    const error = CloseCodes.errorOfStatus(status)
    assert.isTrue(error.transient)
    assert.deepInclude(error.reason, { _tag: "Unreachable", code: status })
    assert.include(error.message, String(status))
  })

  it.each([301, 302, 307])("%i is not followed: keys stay with the host they were meant for", (status) => {
    const error = CloseCodes.errorOfStatus(status)
    assert.isTrue(error.transient)
    assert.include(error.message, "do not follow")
  })

  it.each([200, 400, 418, 0])("%i has no row and connects again", (status) => {
    assert.isTrue(CloseCodes.errorOfStatus(status).transient)
  })
})
