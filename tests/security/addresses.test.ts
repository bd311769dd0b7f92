/** Whose request it is: what a proxy says counts only as far as the proxies are ours. */
import { assert, describe, it } from "@effect/vitest"
import * as ClientAddress from "../../src/layers/http/ClientAddress.ts"

describe("the address of a client", () => {
  const table: ReadonlyArray<
    readonly [hops: number, peer: string | undefined, forwarded: string | undefined, address: string]
  > = [
    [0, "203.0.113.9", undefined, "203.0.113.9"],
    [0, "203.0.113.9", "198.51.100.1", "203.0.113.9"],
    [0, "::ffff:203.0.113.9", undefined, "203.0.113.9"],
    [0, undefined, "198.51.100.1", "unknown"],
    [1, "127.0.0.1", undefined, "127.0.0.1"],
    [1, "127.0.0.1", "198.51.100.1", "198.51.100.1"],
    // What the client wrote itself stands to the left.
    [1, "127.0.0.1", "127.0.0.1, 10.0.0.1, 198.51.100.1", "198.51.100.1"],
    [2, "127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"],
    [2, "127.0.0.1", "198.51.100.1", "198.51.100.1"],
    [3, "127.0.0.1", "9.9.9.9,8.8.8.8,7.7.7.7,6.6.6.6", "8.8.8.8"],
    [1, "127.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
    [1, "127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
    [1, "127.0.0.1", "2001:DB8::7", "2001:db8::7"],
    [1, "127.0.0.1", "::ffff:10.0.0.1", "10.0.0.1"],
    // No address where one should be: whoever spoke to us.
    [1, "10.0.0.2", "198.51.100.1, unknown", "10.0.0.2"],
    [1, "10.0.0.2", "", "10.0.0.2"],
    [1, "10.0.0.2", "<script>", "10.0.0.2"],
    [1, "10.0.0.2", "198.51.100.1,", "10.0.0.2"]
  ]
  for (const [hops, peer, forwarded, address] of table) {
    it(`behind ${hops}: ${peer} saying "${forwarded}" is ${address}`, () => {
      assert.strictEqual(ClientAddress.of(hops, peer, forwarded), address)
      if (forwarded !== undefined) {
        assert.strictEqual(ClientAddress.of(hops, peer, forwarded.split(",")), address)
      }
    })
  }

  it("a client of IPv6 is its /64, in whatever way it is written", () => {
    const one = "2001:db8:1:2::/64"
    for (const address of ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:0db8:0001:0002:1:2:3:4"]) {
      assert.strictEqual(ClientAddress.networkOf(address), one.replace("::/64", "::/64"))
    }
    assert.notStrictEqual(ClientAddress.networkOf("2001:db8:1:3::1"), one)
    assert.strictEqual(ClientAddress.networkOf("::1"), "0:0:0:0::/64")
    assert.strictEqual(ClientAddress.networkOf("198.51.100.1"), "198.51.100.1")
    assert.strictEqual(ClientAddress.networkOf("unknown"), "unknown")
  })
})
