"""What providers tell us later: their tracking webhooks, by way of Anymail, into the history."""
