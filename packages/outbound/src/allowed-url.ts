import { type Addresses, isAddress, isAllowedAddress } from './allowed-address.ts'
import { type Refusal, refused } from './refusal.ts'
import type { Resolve } from './resolve-names.ts'

const LONGEST_URL_CHARACTERS = 8_192

/** Ports of the web, as the URL parser leaves them: that of the scheme is left out. */
const WEB_PORTS = new Set(['', '443', '8443'])

/** The parts of an address that may be fetched; a refusal says what is wrong with it, in words for who wrote it. */
export function allowedUrl(text: string, addresses: Addresses): URL | Refusal {
  if (text.length > LONGEST_URL_CHARACTERS || !URL.canParse(text)) return refused('malformed')
  const url = new URL(text)
  const isHttps = url.protocol === 'https:'
  // On networks of one's own, servers have neither certificates nor the usual ports.
  if (!isHttps && !(addresses === 'private_too' && url.protocol === 'http:')) return refused('scheme', { addresses })
  if (url.username !== '' || url.password !== '') return refused('userinfo')
  if (addresses === 'public' && !WEB_PORTS.has(url.port)) return refused('port')
  return url
}

/** The same of one that is fetched later, with all that can be said without asking for the addresses of its name. */
export function admissibleUrl(text: string, addresses: Addresses): URL | Refusal {
  const url = allowedUrl(text, addresses)
  if (!(url instanceof URL)) return url
  const host = hostOf(url)
  const isAllowed = isAddress(host) ? isAllowedAddress(host, addresses) : addresses === 'private_too' || !isOwn(host)
  return isAllowed ? url : refused('address', { addresses })
}

/**
 * The addresses behind a URL, each of them allowed. One that is not spoils the name: a server that is public and private
 * at once is a trick. The URL parser has already read 2130706433, 0x7f.1 and the like as the addresses they are.
 */
export async function allowedAddresses(
  url: URL,
  addresses: Addresses,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<string[] | Refusal> {
  const host = hostOf(url)
  const found = isAddress(host) ? [host] : await resolve(host, signal)
  const isAllowed = found.length > 0 && found.every((address) => isAllowedAddress(address, addresses))
  return isAllowed ? found : refused('address', { addresses })
}

/** Whether a name means the machine that asks, wherever that is (RFC 6761). */
const isOwn = (host: string): boolean => /(^|\.)localhost\.?$/.test(host)

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')
