import type { JSONWebKeySet } from 'jose'
import { NotAnAmount, arithmeticFaults } from './arithmetic.ts'
import { differencesBetween, hasRepeatedNames } from './differences.ts'
import { Receipt } from './receipt.ts'
import { openSignature } from './signature.ts'

export type Verdict = { kind: 'genuine'; kid: string; receipt: Receipt } | { kind: 'refused'; faults: string[] }

/**
 * Whether a receipt is what the owner of one of these keys has signed, as it stands there, and whether its sums are right.
 * Needs nothing but its arguments. What a genuine one says is taken from under the signature.
 */
export async function verifyReceipt(text: string, keys: JSONWebKeySet): Promise<Verdict> {
  const shown = shownBy(text)
  if (!shown) return refused('This is no receipt: it is not a JSON object with a signature.')
  const { signature, ...fields } = shown

  const signed = await openSignature(signature, keys)
  if (typeof signed === 'string') return refused(signed)
  const differences = differencesBetween(fields, signed.payload)
  if (hasRepeatedNames(text)) differences.push('A field stands in it twice.')
  if (differences.length > 0) return refused(...differences)

  const receipt = Receipt.safeParse(signed.payload)
  if (!receipt.success) return refused('What is signed cannot be read; is the server of another version?')
  const faults = faultsOf(receipt.data)
  return faults.length > 0 ? refused(...faults) : { kind: 'genuine', kid: signed.kid, receipt: receipt.data }
}

const refused = (...faults: string[]): Verdict => ({ kind: 'refused', faults })

function shownBy(text: string): { signature: string; [name: string]: unknown } | undefined {
  try {
    const value = JSON.parse(text) as { signature?: unknown } | null
    return typeof value?.signature === 'string' ? { ...value, signature: value.signature } : undefined
  } catch {
    return undefined
  }
}

function faultsOf(receipt: Receipt): string[] {
  try {
    return arithmeticFaults(receipt)
  } catch (error) {
    if (error instanceof NotAnAmount) return [error.message]
    throw error
  }
}
