import { runService } from '@payflow/service';

import { FraudModule } from './fraud.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'fraud', module: FraudModule, migrations });
