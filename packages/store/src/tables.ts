import type { EndState } from '@weir/contracts'
import type { ColumnType, Generated } from 'kysely'

type MadeByDatabase<T> = ColumnType<T, never, never>

export type StoreTables = {
  'store.account': {
    id: string
    name: string
    created_at: MadeByDatabase<Date>
  }
  'store.api_key': {
    id: string
    account_id: string
    name: string
    digest: Buffer
    hint: string
    created_at: MadeByDatabase<Date>
    revoked_at: ColumnType<Date | null, never, Date>
  }
  'store.completion': {
    id: string
    account_id: string
    key_id: string
    model: string
    stream: boolean
    state: 'queued' | EndState
    created_at: MadeByDatabase<Date>
    deadline_at: Date
    ended_at: Date | null
    served_by: string | null
    error_code: string | null
    input_tokens: bigint | null
    cached_input_tokens: bigint | null
    cache_write_tokens: bigint | null
    output_tokens: bigint | null
    reasoning_tokens: bigint | null
    images: bigint | null
    usage_source: string | null
    charged: bigint | null
    attempts: number | null
    clamped_to: number | null
    batch_discount: number
    of_batch: Generated<boolean>
    webhook_url: string | null
  }
  'store.rate_limit': {
    account_id: string
    key_id: string | null
    concurrent: number | null
    queued: number | null
    requests_per_minute: number | null
    tokens_per_minute: number | null
    changed_at: MadeByDatabase<Date>
  }
  'store.usage_hour': {
    account_id: string
    key_id: string
    model: string
    hour: Date
    requests: bigint
    input_tokens: bigint
    cached_input_tokens: bigint
    cache_write_tokens: bigint
    output_tokens: bigint
    reasoning_tokens: bigint
    images: bigint
    charged: bigint
  }
  'store.watched_completion': { id: string }
  'store.watch_cursor': { only_row: Generated<boolean>; seen_until: Date }
}
