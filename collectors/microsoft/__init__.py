"""Microsoft cloud records: Microsoft 365 unified audit, Entra ID sign-ins and directory audits."""
