/**
 * Which addresses are public, by what is written in them. A name is not resolved here: who fetches an address has to
 * check what the name resolves to, and every redirect, as well.
 */
import { BlockList, isIP } from "node:net"

/** Special-purpose address blocks (IANA registries, RFC 6890 and after): none of them is a host of the public internet. */
const special = new BlockList()
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3]
] as const) {
  special.addSubnet(network, prefix, "ipv4")
}

/** Global unicast; everything else in IPv6 is local, mapped, multicast or reserved. */
const globalUnicast = new BlockList()
globalUnicast.addSubnet("2000::", 3, "ipv6")
/** Parts of it that lead elsewhere: Teredo and 6to4 (they carry an IPv4 address), documentation. */
const tunnels = new BlockList()
tunnels.addSubnet("2001::", 23, "ipv6")
tunnels.addSubnet("2001:db8::", 32, "ipv6")
tunnels.addSubnet("2002::", 16, "ipv6")
tunnels.addSubnet("3fff::", 20, "ipv6")

/** `address` is a literal IPv4 or IPv6 address without brackets. */
export const isPublicIp = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4")
    case 6:
      return globalUnicast.check(address, "ipv6") && !tunnels.check(address, "ipv6")
    default:
      return false
  }
}

const localSuffix =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|test|invalid|onion)$/

const unbracketed = (hostname: string): string => hostname.replace(/^\[|\]$/g, "")

/** `hostname` as `URL` gives it: lower case, odd spellings of IPv4 made plain, IPv6 in brackets. */
export const isPublicHost = (hostname: string): boolean => {
  const host = unbracketed(hostname).replace(/\.$/, "")
  if (isIP(host) !== 0) return isPublicIp(host)
  return host.includes(".") && !localSuffix.test(host)
}

/** This machine itself. */
export const isLoopbackHost = (hostname: string): boolean => {
  const host = unbracketed(hostname)
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
}

/** The address, if it is https, public by its spelling, and without a user name in it. */
export const publicHttps = (address: string): URL | undefined => {
  const url = URL.parse(address)
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined
  return isPublicHost(url.hostname) ? url : undefined
}
