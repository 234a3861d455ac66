import { runService } from '@payflow/service';

import { MIGRATIONS } from './migrations/migrations.js';
import { PaymentModule } from './payment.module.js';

await runService({ name: 'payment', module: PaymentModule, migrations: MIGRATIONS });
