import { ledgerMigrations } from '@weir/ledger'
import { createLogger, explainConfigErrors, loadConfig, migrate } from '@weir/runtime'
import { storeMigrations } from '@weir/store'

explainConfigErrors()
const config = loadConfig(['DATABASE_URL', 'LOG_LEVEL'], process.env)
const log = createLogger({ name: 'migrate', level: config.LOG_LEVEL })

const ran = await migrate(config.DATABASE_URL, [ledgerMigrations, storeMigrations])
log.info({ ran }, ran.length > 0 ? 'migrated' : 'up to date')
