/**
 * What looks like a secret, by the name of a file or in a text. For material that leaves this machine towards a model:
 * a word too many that is masked costs nothing. No promise that every secret is found; so only chosen files are read.
 */

const mask = "[masked]"

/** Each runs once over the text, in time that grows with its length alone. */
const masks: ReadonlyArray<readonly [RegExp, string]> = [
  // A block that was cut has no end.
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g, mask],
  // A JSON Web Token.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}/g, mask],
  [/(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${mask}`],
  // user:password@host
  [/(:\/\/)[^\s/@]{1,200}@/g, `$1${mask}@`],
  // Keys that say by their beginning what they are.
  [/\b(?:sk|pk|rk|ak)[-_](?=[A-Za-z_-]{0,80}\d)[A-Za-z0-9_-]{8,}/g, mask],
  [/\b(?:gh[pousr]|github_pat|glpat|npm|xox[a-z]|hf|dckr_pat|pypi|shpat|dop_v1)[-_][A-Za-z0-9_-]{16,}/g, mask],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{10,}/g, mask],
  // password: ..., "app_secret" = "..."
  [
    /((?:secret|token|passw(?:or)?d|passphrase|pwd|api[_-]?key|app[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization|_auth)[\w.-]{0,40}["'`]?\s{0,8}[:=]\s{0,8}["'`]?)[^\s"'`,;]{4,}/gi,
    `$1${mask}`
  ],
  // Hashes and keys in hexadecimal.
  [/\b[0-9a-fA-F]{32,}\b/g, mask]
]

/** Words that nobody wrote by hand: long, and of small and large letters and digits. */
const random = (word: string): boolean => /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word)

export const masked = (text: string): string => {
  let result = text
  for (const [pattern, replacement] of masks) result = result.replace(pattern, replacement)
  return result.replace(/[A-Za-z0-9+_=-]{28,}/g, (word) => (random(word) ? mask : word))
}

const kinds = /\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx?|asc|gpg|ppk|ovpn|tfstate|env|netrc)$/i
const names =
  /^(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.|_netrc$|env$|htpasswd$)|(?:^|\.)env\.|secret|credential|passw|token|service[-_]?account|private[-_]?key|api[-_]?key/i

/** Hidden files are all of them. */
export const isSecretName = (name: string): boolean => kinds.test(name) || names.test(name)
