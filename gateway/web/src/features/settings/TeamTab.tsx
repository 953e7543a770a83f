import { Button, Group, NativeSelect, Skeleton, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { IssuedInvitation, Member, User } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import { CopyLine } from "@/ui/CopyLine";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useProblemText } from "@/ui/problem";
import { SureButton } from "@/ui/SureButton";
import { ErrorState } from "@/ui/states";
import {
  useChangeRole,
  useInvitations,
  useInvite,
  useMembers,
  useRemoveMember,
  useWithdraw,
} from "./queries";
import classes from "./SettingsPage.module.css";

const ROLES = ["owner", "member", "viewer"] as const;
const roleOf = (value: string): User["role"] => ROLES.find((role) => role === value) ?? "viewer";

export function TeamTab() {
  const { t } = useTranslation();
  const { user } = useAccount();
  const { data: members, error, refetch } = useMembers();
  const isOwner = user.role === "owner";

  return (
    <>
      {isOwner && <InviteForm />}
      <Panel title={t("team.members")}>
        {error && <ErrorState error={error} retry={refetch} />}
        {!members && !error && <Skeleton height="8rem" />}
        <ul className={classes.list}>
          {members?.items.map((member) => (
            <MemberLine key={member.id} member={member} mayChange={isOwner && member.id !== user.id} />
          ))}
        </ul>
      </Panel>
      {isOwner && <OpenInvitations />}
    </>
  );
}

function MemberLine({ member, mayChange }: { member: Member; mayChange: boolean }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const changeRole = useChangeRole();
  const remove = useRemoveMember();
  const fail = (error: unknown) => notifications.show({ message: problem(error), color: "signal" });

  return (
    <li className={classes.line}>
      <div className={classes.lineText}>
        <div>{member.display_name}</div>
        <div className={classes.small}>{member.email}</div>
      </div>
      {mayChange ? (
        <div className={classes.lineActions}>
          <NativeSelect
            size="sm"
            aria-label={t("team.roleOf", { name: member.display_name })}
            value={member.role}
            onChange={(event) =>
              changeRole.mutate({ userId: member.id, role: roleOf(event.target.value) }, { onError: fail })
            }
            data={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
          />
          <SureButton
            sure={t("team.removeSure")}
            loading={remove.isPending}
            onConfirm={() => remove.mutate(member.id, { onError: fail })}
          >
            {t("team.remove")}
          </SureButton>
        </div>
      ) : (
        <span className={classes.small}>{t(`roles.${member.role}`)}</span>
      )}
    </li>
  );
}

function InviteForm() {
  const { t } = useTranslation();
  const invite = useInvite();
  const [issued, setIssued] = useState<IssuedInvitation>();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    invite.mutate(
      { email: String(data.get("email")) || null, role: roleOf(String(data.get("role"))) },
      {
        onSuccess: (invitation) => {
          setIssued(invitation);
          form.reset();
        },
      },
    );
  }

  return (
    <Panel title={t("team.invite")}>
      <form onSubmit={submit}>
        <Stack>
          <div className={classes.grid}>
            <TextInput
              name="email"
              type="email"
              label={t("account.email")}
              description={t("team.emailHint")}
              inputWrapperOrder={["label", "input", "description", "error"]}
              autoComplete="off"
            />
            <NativeSelect
              name="role"
              label={t("team.role")}
              defaultValue="member"
              data={ROLES.map((role) => ({
                value: role,
                label: `${t(`roles.${role}`)} – ${t(`team.roles.${role}`)}`,
              }))}
            />
          </div>
          <ProblemNotice error={invite.error} />
          <Group>
            <Button type="submit" loading={invite.isPending}>
              {t("team.createLink")}
            </Button>
          </Group>
          {issued && <InvitationLink invitation={issued} />}
        </Stack>
      </form>
    </Panel>
  );
}

function InvitationLink({ invitation }: { invitation: IssuedInvitation }) {
  const { t } = useTranslation();
  const format = useFormat();
  const link = `${location.origin}/sign-up?invitation=${encodeURIComponent(invitation.token)}`;
  return <CopyLine hint={t("team.linkHint", { date: format.date(invitation.expires_at) })} value={link} />;
}

function OpenInvitations() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data: invitations } = useInvitations();
  const withdraw = useWithdraw();
  if (!invitations?.items.length) return null;
  return (
    <Panel title={t("team.open")}>
      <ul className={classes.list}>
        {invitations.items.map((invitation) => (
          <li key={invitation.id} className={classes.line}>
            <div className={classes.lineText}>
              <div>{invitation.email ?? t("team.anybody")}</div>
              <div className={classes.small}>
                {t(`roles.${invitation.role}`)} ·{" "}
                {t("team.until", { date: format.date(invitation.expires_at) })}
              </div>
            </div>
            <Button variant="subtle" color="signal" size="sm" onClick={() => withdraw.mutate(invitation.id)}>
              {t("team.withdraw")}
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
