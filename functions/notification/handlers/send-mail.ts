import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { documents } from '../../kernel/table.ts';
import { emailService } from '../adapters/email-service.ts';
import { mailLog } from '../adapters/mail-log.ts';
import { userPoolAddresses } from '../adapters/user-pool.ts';
import { sendMail } from '../app/send-mail.ts';
import { mailedEvents } from '../domain/mailed-events.ts';

const env = environment('NOTIFICATION_TABLE', 'USER_POOL_ID', 'EMAIL_SENDER', 'STORE_TIME_ZONE');
const mail = mailLog(documents, env.NOTIFICATION_TABLE);
const post = { addressOf: userPoolAddresses(env.USER_POOL_ID), send: emailService(env.EMAIL_SENDER) };
const ports = { now: systemNow, sleep: systemSleep, timeZone: env.STORE_TIME_ZONE, mailLog: mail, ...post };

export const handler = eventConsumer(mailedEvents, sendMail(ports));
