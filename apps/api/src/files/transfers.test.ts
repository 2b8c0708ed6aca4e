import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createTransfers } from './transfers.ts'

const code = (value: string) => expect.objectContaining({ code: value })

test('an account may have so many at once, and another one once one of them is over', () => {
  const transfers = createTransfers({ most: 10, mostPerAccount: 2 })
  const [account, other] = [newAccountId(), newAccountId()]
  const [first] = [transfers.begin(account), transfers.begin(account)]

  expect(() => transfers.begin(account)).toThrow(code('rate_limit_exceeded'))
  transfers.begin(other)
  first[Symbol.dispose]()
  first[Symbol.dispose]()

  transfers.begin(account)
  expect(() => transfers.begin(account)).toThrow(code('rate_limit_exceeded'))
})

test('all accounts together may have so many', () => {
  const transfers = createTransfers({ most: 2, mostPerAccount: 2 })
  const first = transfers.begin(newAccountId())
  transfers.begin(newAccountId())

  expect(() => transfers.begin(newAccountId())).toThrow(code('overloaded'))
  first[Symbol.dispose]()
  transfers.begin(newAccountId())
})
