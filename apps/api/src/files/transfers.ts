import { type AccountId, ServiceError } from '@weir/contracts'

export type Transfers = { begin(accountId: AccountId): Disposable }

/**
 * Uploads and downloads under way in this process, each of which holds a chunk or two: so many in all, and so many of one
 * account, that slow ones of one tenant leave room for others.
 */
export function createTransfers(
  { most, mostPerAccount }: { most: number; mostPerAccount: number },
  refusals: { full(): ServiceError; tooMany(value: number): ServiceError } = { full, tooMany },
): Transfers {
  const underWay = new Map<AccountId, number>()
  let all = 0

  function end(accountId: AccountId): void {
    all -= 1
    const left = (underWay.get(accountId) ?? 0) - 1
    if (left > 0) underWay.set(accountId, left)
    else underWay.delete(accountId)
  }

  return {
    begin(accountId) {
      const own = underWay.get(accountId) ?? 0
      if (own >= mostPerAccount) throw refusals.tooMany(mostPerAccount)
      if (all >= most) throw refusals.full()
      all += 1
      underWay.set(accountId, own + 1)
      let isOver = false
      return {
        [Symbol.dispose]() {
          if (!isOver) end(accountId)
          isOver = true
        },
      }
    },
  }
}

const full = (): ServiceError =>
  new ServiceError('overloaded', 'Too many files are being sent and read. Please try again shortly.')

const tooMany = (value: number): ServiceError =>
  new ServiceError(
    'rate_limit_exceeded',
    `The account is sending or reading ${value} files at once, as many as it may. Wait until one of them is done.`,
    { extra: { limit: { scope: 'account', name: 'file_transfers', value } } },
  )
