import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { readIfThere, writePrivate } from './private-file.ts'

const Secrets = z.object({ adminKey: z.string(), keyPepper: z.string(), receiptKey: z.string() })
export type Secrets = z.infer<typeof Secrets>

type Given = Partial<Record<'WEIR_ADMIN_KEY' | 'WEIR_KEY_PEPPER' | 'WEIR_RECEIPT_KEY', string | undefined>>

/** The secrets of this checkout: made once, kept in a file that only its owner reads. Given ones win, and are not kept. */
export async function localSecrets(path: string, given: Given): Promise<Secrets> {
  const kept: unknown = JSON.parse((await readIfThere(path)) ?? '{}')
  // A file from before one of them was needed keeps what it has.
  const secrets = { ...newSecrets(), ...Secrets.partial().parse(kept) }
  if (!Secrets.safeParse(kept).success) await writePrivate(path, `${JSON.stringify(secrets, null, 2)}\n`)
  return {
    adminKey: given.WEIR_ADMIN_KEY ?? secrets.adminKey,
    keyPepper: given.WEIR_KEY_PEPPER ?? secrets.keyPepper,
    receiptKey: given.WEIR_RECEIPT_KEY ?? secrets.receiptKey,
  }
}

/** Random enough for one run. */
export function newSecrets(): Secrets {
  // 32 random bytes are 43 characters of base64url. For the receipt key they are the seed of an Ed25519 key.
  const random = () => randomBytes(32).toString('base64url')
  return { adminKey: `weir_admin_${random()}`, keyPepper: random(), receiptKey: random() }
}
