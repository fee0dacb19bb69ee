"""hinomi report: write a report now."""

from datetime import datetime, timedelta
from pathlib import Path

import typer

from hinomi.clock import JST
from ops.opened import opened, operator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def report(
        name: str = typer.Argument("daily-digest", help="報告書 / which report"),
        data: Path = typer.Option(..., "--data", help="データフォルダ / data folder"),
        config: Path = typer.Option(None, "--config", help="設定ファイル / hinomi.yaml"),
        date: datetime = typer.Option(
            None, formats=["%Y-%m-%d"], help="日(既定: 昨日)/ day (default: yesterday)"
        ),
        subject: str = typer.Option(
            "", help="何について(incident は番号、department は部署)/ which incident or department"
        ),
        out: Path = typer.Option(None, help="出力先(既定: データフォルダの reports)/ where"),
        organization: str = typer.Option(
            "", help="この組織のものだけで作る / of what is this organisation's alone"
        ),
        deliver: bool = typer.Option(
            False, "--deliver", help="reports.deliver の届け先へも / bring it to where reports.deliver says"
        ),
    ) -> None:
        """報告書を HTML・PDF・XLSX・JSON で作り、署名する / write a report in every form and sign it."""
        from dashboards.reporting import signing
        from ops import reports

        with opened(data, config=config) as place:
            day = date.date() if date else (place.clock.now().astimezone(JST) - timedelta(days=1)).date()
            place.desk.audit.append(
                actor=operator(),
                action="report.write",
                target=name,
                details={"day": day.isoformat(), "organization": organization},
            )
            made = reports.write(
                name,
                day,
                place.settings,
                place.clock,
                place.events,
                place.records,
                out or data / "reports",
                subject,
                data=data,
                whose=organization,
            )
            if deliver:
                reports.deliveries(place.settings, place.clock, place.records).plan(name, made, organization)
        for one in made:
            typer.echo(f"{one.path}  sha256:{one.sha256}")
        if out and (out / signing.NAME).exists():
            typer.echo(
                f"! {out / signing.NAME}: 前の版がここに作った署名の鍵(秘密鍵)です。もう使いません。消してください。"
                " / a private signing key that an earlier release made here; it is not used any more, remove it",
                err=True,
            )

    @app.command("report-verify")
    def report_verify(
        manifest: Path = typer.Argument(..., exists=True, help="署名の一覧(.signed.json)/ signed manifest"),
        key: str = typer.Option("", help="控えてある鍵の指紋 / fingerprint of the key, kept elsewhere"),
    ) -> None:
        """報告書が署名のときのままか確かめる / check that a report is as it was signed (exit 1 where not)."""
        from dashboards.reporting import signing

        checked = signing.verify(manifest, known=key)
        for name, good in checked.items():
            typer.echo(f"{'一致 / as signed' if good else '違う / CHANGED'}  {name}")
        if not all(checked.values()):
            raise typer.Exit(1)
