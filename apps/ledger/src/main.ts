import { runService } from '@payflow/service';

import { LedgerModule } from './ledger.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'ledger', module: LedgerModule, migrations });
