import { writeFileSync } from 'node:fs'
import { compatibilityPage, pageFile } from './compatibility-page.ts'
import { keptResults } from './results.ts'

// After a run of matrix.test.ts, which keeps what it saw.
writeFileSync(pageFile, compatibilityPage(keptResults()))
