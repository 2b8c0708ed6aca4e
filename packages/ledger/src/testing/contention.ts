import { type AccountId, type CompletionId, type KeyId, newAccountId, newCompletionId, newKeyId } from '@weir/contracts'
import fc from 'fast-check'
import type { Operation } from '../operations.ts'

/** Accounts and their completions, over which several connections or processes contend. */
export type Arena = { accounts: AccountId[]; completions: CompletionId[][]; keyId: KeyId }

export function newArena(accounts: number, completionsOfEach: number): Arena {
  return {
    accounts: Array.from({ length: accounts }, newAccountId),
    completions: Array.from({ length: accounts }, () => Array.from({ length: completionsOfEach }, newCompletionId)),
    keyId: newKeyId(),
  }
}

type Claim = { kind: Operation['kind']; account: number; completion: number; amount: bigint; limited: boolean }

const kinds: Operation['kind'][] = ['reserve', 'reserve', 'reserve', 'settle', 'settle', 'extend', 'release', 'expire']

/** Operations as different clients may ask for them, who know nothing of each other. */
export const claimsOn = ({ accounts, completions }: Arena, count: number): fc.Arbitrary<Claim[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      account: fc.nat({ max: accounts.length - 1 }),
      completion: fc.nat({ max: completions[0]!.length - 1 }),
      amount: fc.bigInt({ min: 0n, max: 9n }),
      limited: fc.boolean(),
    }),
    { minLength: count, maxLength: count },
  )

export function operationIn(arena: Arena, { kind, account, completion, amount, limited }: Claim): Operation {
  const of = { accountId: arena.accounts[account]!, completionId: arena.completions[account]![completion]! }
  // Everybody asks for the same completion with the same quote, or with one microcredit more: a conflict.
  const quote = BigInt(completion % 5) + (amount === 9n ? 1n : 0n)
  if (kind === 'reserve') return { kind, ...of, quote, least: 1n, keyId: limited ? arena.keyId : undefined }
  if (kind === 'extend') return { kind, ...of, amount }
  return kind === 'settle' ? { kind, ...of, cost: amount } : { kind, ...of }
}
