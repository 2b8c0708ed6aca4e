import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { readIfThere, writePrivate } from './private-file.ts'

const Secrets = z.object({ adminKey: z.string(), keyPepper: z.string() })
export type Secrets = z.infer<typeof Secrets>

type Given = { WEIR_ADMIN_KEY?: string | undefined; WEIR_KEY_PEPPER?: string | undefined }

/** The secrets of this checkout: made once, kept in a file that only its owner reads. Given ones win, and are not kept. */
export async function localSecrets(path: string, given: Given): Promise<Secrets> {
  const kept = await readIfThere(path)
  const secrets = kept ? Secrets.parse(JSON.parse(kept)) : newSecrets()
  if (!kept) await writePrivate(path, `${JSON.stringify(secrets, null, 2)}\n`)
  return { adminKey: given.WEIR_ADMIN_KEY ?? secrets.adminKey, keyPepper: given.WEIR_KEY_PEPPER ?? secrets.keyPepper }
}

/** Random enough for one run. */
export function newSecrets(): Secrets {
  // 32 random bytes are 43 characters of base64url.
  const random = () => randomBytes(32).toString('base64url')
  return { adminKey: `weir_admin_${random()}`, keyPepper: random() }
}
