"""Whether billing needs the consent of a second person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platform", "0011_imports")]

    operations = [
        migrations.AddField(
            model_name="installation", name="billing_needs_sign_off", field=models.BooleanField(default=False)
        ),
    ]
