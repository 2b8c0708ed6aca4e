import { hasAppRole, ledgerMigrations } from '@weir/ledger'
import { createLogger, explainConfigErrors, loadConfig, logUncaught, migrate, openDatabase } from '@weir/runtime'
import { storeMigrations } from '@weir/store'
import { explainConnecting } from './connecting.ts'

explainConfigErrors()
const config = loadConfig(['DATABASE_URL', 'LOG_LEVEL'], process.env)
const log = createLogger({ name: 'migrate', level: config.LOG_LEVEL })
logUncaught(log)

const ran = await migrate(config.DATABASE_URL, [ledgerMigrations, storeMigrations]).catch(explainConnecting)
log.info({ ran }, ran.length > 0 ? 'migrated' : 'up to date')

await using db = openDatabase(config.DATABASE_URL, { max: 1, timeoutMs: 10_000, onError: () => {} })
if (!(await hasAppRole(db)))
  log.warn('there is no role weir_app, as the login of DATABASE_URL may not make roles: see docs/ledger.md#roles')
