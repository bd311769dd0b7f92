/**
 * Addresses of an InstaClaw platform: which of them a key may be sent to, which origin they belong to, and the four
 * addresses that follow from one.
 */
import { isLoopbackHost } from "./PublicAddress.ts"

/** Encrypted, or on this machine: everything else would show the key on the way (law secret). */
export const mayCarryKeys = (url: URL): boolean =>
  url.protocol === "https:" || url.protocol === "wss:" || isLoopbackHost(url.hostname)

export const isLoopback = (url: URL): boolean => isLoopbackHost(url.hostname)

const toHttp: Readonly<Record<string, string>> = { "ws:": "http:", "wss:": "https:" }

/** Scheme, host and port with the scheme of HTTP: a socket and the pages of one platform have the same origin. */
export const originOf = (url: URL): string => {
  const plain = new URL(url)
  plain.protocol = toHttp[url.protocol] ?? url.protocol
  return plain.origin
}

/** Whether two origins are the same place: this machine has several names. */
export const sameOrigin = (one: string, other: string): boolean => {
  if (one === other) return true
  const a = URL.parse(one)
  const b = URL.parse(other)
  return a !== null && b !== null && a.protocol === b.protocol && a.port === b.port && isLoopback(a) && isLoopback(b)
}

/** An address as a person writes it: a bare host means https, or http on this machine. */
export const parse = (text: string): URL | undefined => {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const bare = written ? null : URL.parse(`http://${text}`)
  const url = written ? URL.parse(text) : bare !== null && !isLoopback(bare) ? URL.parse(`https://${text}`) : bare
  return url !== null && /^(https?|wss?):$/.test(url.protocol) ? url : undefined
}

/** The addresses of a platform that lies where `base` says; a path in it is kept as a prefix. */
export const derive = (
  base: URL
): {
  readonly wsUrl: URL
  readonly profileCreateUrl: URL
  readonly taskApiBaseUrl: URL
  readonly artifactUrl: URL
} => {
  const root = new URL(base)
  root.protocol = toHttp[base.protocol] ?? base.protocol
  root.search = ""
  root.hash = ""
  root.username = ""
  root.password = ""
  // Whoever copies the address of the socket means the platform it belongs to.
  root.pathname = root.pathname.replace(/\/ws\/chat\/?$/, "/").replace(/\/*$/, "/")
  const wsUrl = new URL("ws/chat", root)
  wsUrl.protocol = root.protocol === "https:" ? "wss:" : "ws:"
  return {
    wsUrl,
    profileCreateUrl: new URL("profiles/create", root),
    taskApiBaseUrl: root,
    artifactUrl: new URL("artifact/upload-and-bind", root)
  }
}

/** Where tasks and artifacts of a platform are: the addresses that are set, where they are its own, or those under it. */
export const taskAddresses = (
  origin: string,
  set: { readonly taskApiBaseUrl: URL; readonly artifactUrl: URL }
): { readonly taskApiBaseUrl: URL; readonly artifactUrl: URL } => {
  const platform = URL.parse(origin)
  return platform === null || sameOrigin(originOf(set.taskApiBaseUrl), origin) ? set : derive(platform)
}
