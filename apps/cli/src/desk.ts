import { join } from 'node:path'
import {
  AccountId,
  type BatchId,
  type CompletionId,
  EitherBatchId,
  EitherCompletionId,
  EndpointId,
  GrantId,
  KeyId,
} from '@weir/contracts'
import type { z } from 'zod'
import { type AdminApi, createAdminApi } from './admin-api.ts'
import { type CustomerServer, chooseCustomer } from './choose-customer.ts'
import { chooseServer } from './choose-server.ts'
import { serverFailure, usageFailure } from './failure.ts'
import { findLocalFile } from './local-file.ts'

/** What the process gives a command. */
export type Surroundings = {
  url: string | undefined
  adminKey: string | undefined
  apiKey?: string | undefined
  folder: string
  /** The path of the model catalogue, where the environment names it. */
  config?: string | undefined
  /** The value of an environment variable that a catalogue names. */
  secretOf?: (name: string) => string | undefined
  colour: boolean
  out: (text: string) => void
  /** Bytes to where `out` goes, as fast as they are taken there. */
  pour: (bytes: AsyncIterable<Uint8Array>) => Promise<void>
  err: (text: string) => void
}

export type GlobalOptions = { url?: string; adminKey?: string; json?: true }

/** What every command works with. */
export type Desk = {
  /** The admin API of the server that the options, the environment or the local file name. */
  api: () => AdminApi
  /** The same server for what its customers ask, with the key that was typed or is known. */
  customer: (apiKey?: string) => CustomerServer
  /** An account id as typed, or the local file's for `local`. */
  account: (typed: string) => AccountId
  key: (typed: string) => KeyId
  grant: (typed: string) => GrantId
  completion: (typed: string) => CompletionId
  batch: (typed: string) => BatchId
  endpoint: (typed: string) => EndpointId
  /** Prints an answer: as it came with `--json`, else rendered. */
  show: <T>(answer: unknown, schema: z.ZodType<T>, render: (value: T, colour: boolean) => string) => void
  pour: Surroundings['pour']
  /** The model catalogue that is meant, and the secrets it may name. */
  catalogue: (typed?: string) => { path: string; isNamed: boolean; secretOf: (name: string) => string | undefined }
  /** Whether a program reads what is printed: `--json`. */
  isJson: () => boolean
  /** Says something to the person beside the answer; stays out of a pipe, and silent with `--json`. */
  remark: (text: string) => void
}

/** The options are read when a command runs: they are not parsed before. */
export function createDesk(surroundings: Surroundings, options: () => GlobalOptions): Desk {
  const { folder, colour, out, pour, err } = surroundings
  return {
    api: () => createAdminApi(chooseServer(options(), surroundings, () => findLocalFile(folder))),
    customer: (apiKey) => chooseCustomer({ ...options(), apiKey }, surroundings, () => findLocalFile(folder)),
    account: (typed) => idFrom(AccountId, typed === 'local' ? localAccount(folder) : typed, 'The account'),
    key: (typed) => idFrom(KeyId, typed, 'The key'),
    grant: (typed) => idFrom(GrantId, typed, 'The grant'),
    completion: (typed) => idFrom(EitherCompletionId, typed, 'The completion'),
    batch: (typed) => idFrom(EitherBatchId, typed, 'The batch'),
    endpoint: (typed) => idFrom(EndpointId, typed, 'The endpoint'),
    pour,
    catalogue: (typed) => ({
      path: typed ?? surroundings.config ?? join(folder, 'weir.yaml'),
      isNamed: (typed ?? surroundings.config) !== undefined,
      secretOf: surroundings.secretOf ?? (() => undefined),
    }),
    isJson: () => options().json === true,
    show: (answer, schema, render) => {
      if (options().json) return out(`${JSON.stringify(answer)}\n`)
      const parsed = schema.safeParse(answer)
      if (!parsed.success) throw serverFailure(`${strangeAnswer} ${JSON.stringify(answer)}`, parsed.error)
      out(`${render(parsed.data, colour)}\n`)
    },
    remark: (text) => {
      if (!options().json) err(`${text}\n`)
    },
  }
}

const strangeAnswer = 'This answer cannot be shown as a table; is the server of another version? It said:'

function localAccount(folder: string): string {
  const accountId = findLocalFile(folder)?.accountId
  if (!accountId) throw usageFailure("'local' needs a .weir/local.json with an account; npm start writes one.")
  return accountId
}

function idFrom<Schema extends z.ZodType>(schema: Schema, typed: string, what: string): z.output<Schema> {
  const parsed = schema.safeParse(typed)
  if (!parsed.success) throw usageFailure(`${what} '${typed}' ${parsed.error.issues[0]?.message}.`)
  return parsed.data
}
