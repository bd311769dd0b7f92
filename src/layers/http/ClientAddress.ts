/**
 * Who a request comes from, as an address. Pure.
 *
 * `X-Forwarded-For` is written by anyone: only what our own proxies added counts. Each adds, on the right, the address
 * it got the request from; so with n proxies the client is the n-th from the right, and what stands left of it was
 * said by the client about itself.
 */
import { isIP } from "node:net"

/** Any of these says that somebody passed the request on. */
const forwardingHeaders = ["x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "x-forwarded-proto", "via"]

export const wasForwarded = (headers: Readonly<Record<string, unknown>>): boolean =>
  forwardingHeaders.some((name) => headers[name] !== undefined)

/** `[::1]:80`, `::1`, `1.2.3.4:80`, `1.2.3.4`; anything else is no address. An IPv4 address within IPv6 is IPv4. */
const parse = (entry: string): string | undefined => {
  const text = entry.trim()
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  const address = bare.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "")
  return isIP(address) === 0 ? undefined : address
}

export const unknown = "unknown"

/**
 * `forwarded`: the header `X-Forwarded-For`.
 *
 * `hops`: how many proxies of ours stand before the platform; 0 = none, and the header is not looked at. Where the
 * place of the client holds no address, it is that of the peer.
 */
export const of = (
  hops: number,
  peer: string | undefined,
  forwarded: string | ReadonlyArray<string> | undefined
): string => {
  const direct = (peer === undefined ? undefined : parse(peer)) ?? unknown
  if (hops < 1 || forwarded === undefined) return direct
  const entries = (typeof forwarded === "string" ? forwarded : forwarded.join(",")).split(",")
  const entry = entries[Math.max(entries.length - hops, 0)]
  return (entry === undefined ? undefined : parse(entry)) ?? direct
}

/** What counts as one client: an IPv4 address, or the /64 that every holder of an IPv6 address has whole. */
export const networkOf = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [head = "", tail] = address.split("::", 2)
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array.from({ length: Math.max(8 - left.length - right.length, 0) }, () => "0"), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`
}
