import { expect, test } from 'vitest'
import { isAllowedAddress } from './allowed-address.ts'

test.each(['8.8.8.8', '1.1.1.1', '100.63.255.255', '172.32.0.1', '2620:fe::fe', '2a00:1450:4001::1'])(
  '%s is public',
  (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(true)
    expect(isAllowedAddress(address, 'private_too')).toBe(true)
  },
)

test.each(['127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '::1', 'fc00::1'])(
  '%s is open to those who allow private networks',
  (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(false)
    expect(isAllowedAddress(address, 'private_too')).toBe(true)
  },
)

test.each([
  ['this network', '0.0.0.0'],
  ['this network', '0.1.2.3'],
  ['link-local, with metadata', '169.254.169.254'],
  ['protocol assignments', '192.0.0.192'],
  ['documentation', '192.0.2.1'],
  ['old relays', '192.88.99.1'],
  ['benchmarks', '198.18.0.1'],
  ['documentation', '203.0.113.1'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['the agent of Azure', '168.63.129.16'],
  ['the metadata of Alibaba', '100.100.100.200'],
  ['the metadata of AWS', 'fd00:ec2::254'],
  ['nowhere', '::'],
  ['IPv4 as IPv6', '::ffff:8.8.8.8'],
  ['IPv4 as IPv6, the old way', '::8.8.8.8'],
  ['translated IPv4', '64:ff9b::808:808'],
  ['translated IPv4', '64:ff9b:1::1'],
  ['discarded', '100::1'],
  ['Teredo', '2001::1'],
  ['documentation', '2001:db8::1'],
  ['6to4', '2002:7f00:1::'],
  ['documentation', '3fff::1'],
  ['segment routing', '5f00::1'],
  ['link-local', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['not given out', '4000::1'],
  ['a name', 'example.com'],
  ['nothing', ''],
])('%s (%s) is open to nobody', (_what, address) => {
  expect(isAllowedAddress(address, 'public')).toBe(false)
  expect(isAllowedAddress(address, 'private_too')).toBe(false)
})
