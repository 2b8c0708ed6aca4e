import { z } from 'zod'

const Time = z.iso.datetime()

export const Account = z.object({ id: z.string(), name: z.string(), created_at: Time })
export type Account = z.infer<typeof Account>

export const CreditsOfAccount = z.object({ balance: z.number(), reserved: z.number(), available: z.number() })
export type CreditsOfAccount = z.infer<typeof CreditsOfAccount>
export const AccountWithCredits = Account.extend({ credits: CreditsOfAccount })
export type AccountWithCredits = z.infer<typeof AccountWithCredits>

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  created_at: Time,
  revoked_at: Time.nullable(),
})
export type Key = z.infer<typeof Key>
export const NewKey = Key.omit({ revoked_at: true }).extend({ key: z.string() })
export type NewKey = z.infer<typeof NewKey>
export const RevokedKey = z.object({ id: z.string(), revoked_at: Time })
export type RevokedKey = z.infer<typeof RevokedKey>

export const Grant = z.object({
  id: z.string(),
  kind: z.string(),
  credits: z.number(),
  /** What is left of it. */
  balance: z.number(),
  reference: z.string().nullable(),
  created_at: Time,
})
export type Grant = z.infer<typeof Grant>

export const Entry = z.object({
  sequence: z.number(),
  kind: z.string(),
  credits: z.number(),
  grant_id: z.string().nullable(),
  /** Of the grant; null where no grant had anything left to take from. */
  balance_after: z.number().nullable(),
  completion_id: z.string().nullable(),
  created_at: Time,
})
export type Entry = z.infer<typeof Entry>

export const listOf = <T>(item: z.ZodType<T>) => z.object({ data: z.array(item) })
