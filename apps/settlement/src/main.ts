import { runService } from '@payflow/service';

import { SettlementModule } from './settlement.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'settlement', module: SettlementModule, migrations });
