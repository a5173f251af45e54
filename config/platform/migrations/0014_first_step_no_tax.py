"""First steps: that no tax is charged is something that only a person can say."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platform", "0013_second_persons")]

    operations = [
        migrations.AlterField(
            model_name="firststep",
            name="code",
            field=models.CharField(
                choices=[
                    ("hidden", "put away"),
                    ("mail", "test mail sent"),
                    ("backup", "backups set up"),
                    ("no_tax", "no tax is charged"),
                ],
                max_length=16,
                unique=True,
            ),
        ),
    ]
