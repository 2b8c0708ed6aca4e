import ipaddr from 'ipaddr.js'

/** Whom we may be sent to: `public` servers only, or those on the operator's own networks as well. */
export type Addresses = 'public' | 'private_too'

const PRIVATE_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat'])

/** All that is given out on the internet lies in here; every tunnel and translation of IPv4 within is a range of its own. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]

/** Where clouds keep the credentials of a machine, beside the link-local 169.254.169.254: never a place for a picture. */
const METADATA = new Set(['168.63.129.16', '100.100.100.200', 'fd00:ec2:0:0:0:0:0:254'])

/**
 * Whether a tenant may send us to this address. Everything that is not known to be public is refused, IPv4 written as
 * IPv6 among it; with `private_too` the networks that are private by standard are open, but nothing link-local.
 */
export function isAllowedAddress(text: string, addresses: Addresses): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (METADATA.has(address.toString()) || METADATA.has(address.toNormalizedString())) return false
  const range = address.range()
  if (addresses === 'private_too' && PRIVATE_RANGES.has(range)) return true
  if (range !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_V6)
}

/** Whether a host is an address itself, which no resolver is asked for. */
export const isAddress = (host: string): boolean => ipaddr.isValid(host)
