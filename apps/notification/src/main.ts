import { runService } from '@payflow/service';

import { NotificationModule } from './notification.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'notification', module: NotificationModule, migrations });
